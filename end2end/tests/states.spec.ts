import { psql, testOnPostgres } from './support/postgres';
import { Tenant, alive, expect, expectAccessible, open, row, signIn } from './support/test';

// The states between asking and having: the database is PostgreSQL here, which can be told to keep a table.

const test = testOnPostgres('states', ['--support-contact', 'help@example.com']);

test.describe.configure({ mode: 'serial' });

const LOCKED = `
  SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE datname = current_database() AND relation = 'api_key'::regclass AND mode = 'AccessExclusiveLock' AND granted
  )`;

test('while the database is at it, the page shows the shape of the list', async ({ admin, tenant, databaseUrl }) => {
  await tenant.key('Worth waiting for');
  const held = psql(databaseUrl, 'BEGIN; LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT;');
  await expect.poll(() => psql(databaseUrl, LOCKED)).toBe('t');
  await admin.goto('/tenant-api-keys', { waitUntil: 'commit' });
  await expect(admin.getByRole('status', { name: 'Loading the keys' })).toBeVisible();
  await expect(admin.getByRole('searchbox')).toBeVisible();
  await held;
  await expect(row(admin, 'Worth waiting for')).toBeVisible();
  await expect(admin.getByRole('status', { name: 'Loading the keys' })).toHaveCount(0);
  await alive(admin);
  await admin.getByRole('button', { name: 'Revoke Worth waiting for' }).click();
  await expect(admin.getByRole('dialog'), 'what came late is alive as well').toBeVisible();
});

test('what cannot be loaded says so and offers to try again', async ({ admin, tenant, databaseUrl }) => {
  await tenant.key('Still there');
  await psql(databaseUrl, 'ALTER TABLE api_key RENAME TO api_key_away');
  await open(admin, '/tenant-api-keys?status=active');
  await expect(admin.getByRole('alert')).toContainText('The keys could not be loaded');
  await expectAccessible(admin);
  await psql(databaseUrl, 'ALTER TABLE api_key_away RENAME TO api_key');
  await admin.getByRole('link', { name: 'Try again' }).click();
  await expect(admin).toHaveURL(/\?status=active$/);
  await expect(row(admin, 'Still there')).toBeVisible();
});

test('without a database, the page says that nothing is lost', async ({ admin, databaseUrl, complaints }) => {
  await psql(databaseUrl, 'ALTER TABLE session RENAME TO session_away');
  const answer = await admin.goto('/tenant-api-keys');
  expect(answer!.status()).toBe(503);
  await expect(admin.getByRole('heading', { name: 'Latchkey cannot reach its database' })).toBeVisible();
  await expectAccessible(admin);
  await psql(databaseUrl, 'ALTER TABLE session_away RENAME TO session');
  await admin.getByRole('link', { name: 'Try again' }).click();
  await expect(admin.getByRole('heading', { name: 'API Keys', exact: true })).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('503')]);
});

test('the support contact is the one of the installation', async ({ page, program }) => {
  const tenant = await Tenant.make(program, 'full', 0);
  await signIn(page, tenant.email('Ana'));
  await expect(page.getByRole('button', { name: 'Generate API Key' })).toBeDisabled();
  await expect(page.getByRole('link', { name: 'help@example.com' })).toHaveAttribute('href', 'mailto:help@example.com');
  await expectAccessible(page);
});
