import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const program = process.env.LATCHKEY_PROGRAM;

/** A running Latchkey on a database of its own. */
export class Program {
  private constructor(
    readonly url: string,
    /** What commands on the same database need. */
    private readonly environment: Record<string, string>,
    private readonly process: ChildProcess,
    private readonly output: string[],
    private readonly folder: string,
  ) {}

  static async start(options: { databaseUrl?: string; arguments?: string[] } = {}): Promise<Program> {
    if (!program) throw new Error('LATCHKEY_PROGRAM is not set: run the tests with `cargo xtask test`');
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
    const databaseUrl = options.databaseUrl ?? `sqlite://${folder}/latchkey.db`;
    const secretKeyFile = `${folder}/secret-key`;
    const { stdout: secretKey } = await promisify(execFile)(program, ['secret-key', 'generate']);
    await writeFile(secretKeyFile, secretKey, { mode: 0o600 });
    const words = ['serve', '--addr', '127.0.0.1:0', '--log', 'debug'];
    const environment = {
      LATCHKEY_DATABASE_URL: databaseUrl,
      LATCHKEY_SECRET_KEY_FILE: secretKeyFile,
      LATCHKEY_SUPER_USER_MFA: 'optional',
      LATCHKEY_BOOKING: 'on',
    };
    const child = spawn(program, [...words, ...(options.arguments ?? [])], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      const read = (line: string) => {
        output.push(line);
        const ready = /ready at (\S+)/.exec(line);
        if (ready) resolve(ready[1]!);
      };
      createInterface(child.stdout!).on('line', read);
      createInterface(child.stderr!).on('line', read);
      child.on('exit', (code) => reject(new Error(`latchkey ended with ${code}:\n${output.join('\n')}`)));
    });
    return new Program(url, environment, child, output, folder);
  }

  /** Everything the program has printed and logged. */
  get log(): string {
    return this.output.join('\n');
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a command beside the server and answers what it prints as JSON. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async command(words: string[], input = ''): Promise<any> {
    const { code, output, error } = await this.shell([...words, '--json'], input);
    if (code !== 0) throw new Error(`latchkey ${words.join(' ')} ended with ${code}: ${error}`);
    return JSON.parse(output);
  }

  /** Runs a command and answers how it ended. */
  shell(words: string[], input = ''): Promise<{ code: number; output: string; error: string }> {
    return new Promise((resolve) => {
      const environment = { ...process.env, ...this.environment };
      const child = execFile(program!, words, { env: environment }, (failure, output, error) => {
        resolve({ code: failure ? Number(failure.code) : 0, output, error });
      });
      // Most commands end without having read any.
      child.stdin!.on('error', () => {});
      child.stdin!.end(input);
    });
  }
}
