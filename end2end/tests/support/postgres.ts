import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Program } from './program';
import { test as base } from './test';

const server = process.env.LATCHKEY_TEST_POSTGRES_URL;

/** Tests against programs on PostgreSQL, which other processes can change while a program runs. */
export function testOnPostgres(prefix: string, options: string[]) {
  return base.extend<object, { databaseUrl: string; program: Program }>({
    databaseUrl: [
      async ({}, use, info) => {
        if (!server) throw new Error('LATCHKEY_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`');
        const name = `${prefix}_${process.pid}_${info.workerIndex}`;
        await psql(server, `CREATE DATABASE ${name}`);
        await use(`${server.slice(0, server.lastIndexOf('/'))}/${name}`);
      },
      { scope: 'worker' },
    ],
    program: [
      async ({ databaseUrl }, use) => {
        const program = await Program.start({ databaseUrl, arguments: options });
        await use(program);
        await program.stop();
      },
      { scope: 'worker' },
    ],
  });
}

export async function psql(url: string, sql: string): Promise<string> {
  const options = ['--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1', '--command', sql];
  return (await promisify(execFile)('psql', [url, ...options])).stdout.trim();
}
