import { alive, expect, expectAccessible, open, row, test } from './support/test';

const names = 'tbody th .key-name';

test('without a key, the page says what one is for and offers to generate it', async ({ admin }) => {
  await expect(admin.getByRole('heading', { name: 'No API keys yet' })).toBeVisible();
  await expect(admin.getByText('0/10 keys')).toBeVisible();
  await expectAccessible(admin);
  await admin.getByRole('link', { name: 'Generate API Key' }).click();
  await expect(admin).toHaveURL(/\/tenant-api-keys\/new$/);
});

test('a row shows all of a key at a glance', async ({ admin, tenant }) => {
  const [first] = tenant.properties;
  const words = ['--description', 'For the front desk', '--group', 'Booking', '--scope', 'read', '--scope', 'write'];
  const narrow = ['--property', first!.id, '--ip', '10.0.0.0/8', '--ip', '::1', '--origin', 'https://a.example'];
  const made = await tenant.key('PMS', ...words, ...narrow, '--rate-limit', '120', '--expires', '2099-01-31');
  await open(admin, '/tenant-api-keys');
  const key = row(admin, 'PMS');
  await expect(key).toContainText('For the front desk');
  await expect(key).toContainText(`${made.secret.slice(0, 14)}…${made.secret.slice(-4)}`);
  await expect(key).toContainText('Active');
  await expect(key).toContainText('Valid');
  await expect(key).toContainText('Booking');
  await expect(key).toContainText('Read, Write');
  await expect(key.getByText('1 property')).toHaveAttribute('title', 'Harbour House');
  await expect(key).toContainText('120/min');
  await expect(key.getByText('2 addresses')).toHaveAttribute('title', '10.0.0.0/8\n::1');
  await expect(key).toContainText('1 origin');
  await expect(key).toContainText('31 Jan 2099');
  await expect(key.getByRole('cell').filter({ hasText: 'Never' })).toHaveCount(1);
  await expect(key).toContainText('by Operator');
  await expect(admin.getByText('1/10 keys')).toBeVisible();
  await expectAccessible(admin);
});

test('filters live in the URL and survive reload and back', async ({ admin, tenant }) => {
  const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
  await tenant.key('Lasting');
  await tenant.key('Ending', '--expires', days(10));
  const { id } = await tenant.key('Ended');
  await tenant.program.command(['key', 'revoke', id]);
  await open(admin, '/tenant-api-keys');
  await expect(admin.locator(names)).toHaveText(['Ended', 'Ending', 'Lasting']);

  await admin.getByRole('group', { name: 'Status' }).getByRole('link', { name: 'Active' }).click();
  await expect(admin).toHaveURL(/\?status=active$/);
  await expect(admin.locator(names)).toHaveText(['Ending', 'Lasting']);
  await expect(admin.getByRole('status').filter({ hasText: '2 keys' })).toBeVisible();

  await admin.getByRole('group', { name: 'Expiration' }).getByRole('link', { name: 'Expiring soon' }).click();
  await expect(admin).toHaveURL(/status=active&expiration=expiring_soon$/);
  await expect(admin.locator(names)).toHaveText(['Ending']);
  await expect(row(admin, 'Ending')).toContainText('Expiring soon');
  await admin.reload();
  await expect(admin.locator(names)).toHaveText(['Ending']);

  await admin.goBack();
  await expect(admin.locator(names)).toHaveText(['Ending', 'Lasting']);

  await admin.getByRole('searchbox').fill('last');
  await admin.getByRole('searchbox').press('Enter');
  await expect(admin).toHaveURL(/status=active&q=last|q=last&status=active/);
  await expect(admin.locator(names)).toHaveText(['Lasting']);
  await expect(admin.getByRole('searchbox')).toHaveValue('last');

  await admin.getByRole('searchbox').fill('nothing like it');
  await admin.getByRole('searchbox').press('Enter');
  await expect(admin.getByRole('heading', { name: 'No key matches' })).toBeVisible();
  await expectAccessible(admin);
  await admin.getByRole('link', { name: 'Clear the filters' }).click();
  await expect(admin.locator(names)).toHaveCount(3);

  await admin.getByRole('group', { name: 'Status' }).getByRole('link', { name: 'Revoked' }).click();
  await expect(admin.locator(names)).toHaveText(['Ended']);
  await expect(row(admin, 'Ended')).toContainText('Revoked');
});

test('a key is found by the last characters of its secret', async ({ admin, tenant }) => {
  const { secret } = await tenant.key('Wanted');
  await tenant.key('Other');
  await open(admin, `/tenant-api-keys?q=${secret.slice(-4)}`);
  await expect(admin.locator(names).filter({ hasText: 'Wanted' })).toHaveCount(1);
});

test('the list sorts by a column, and the other way round', async ({ admin, tenant }) => {
  for (const name of ['beta', 'Alpha', 'gamma']) await tenant.key(name);
  await open(admin, '/tenant-api-keys');
  await expect(admin.locator(names)).toHaveText(['gamma', 'Alpha', 'beta']);
  await admin.getByRole('link', { name: 'Name' }).click();
  await expect(admin.locator(names)).toHaveText(['Alpha', 'beta', 'gamma']);
  await expect(admin.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await admin.getByRole('link', { name: 'Name' }).click();
  await expect(admin.locator(names)).toHaveText(['gamma', 'beta', 'Alpha']);
  await expect(admin.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'descending');
  for (const column of ['Expires', 'Last used', 'Created']) {
    await admin.getByRole('link', { name: column }).click();
    await expect(admin.getByRole('columnheader', { name: column })).toHaveAttribute('aria-sort', /ending/);
  }
});

test.describe('with many keys', () => {
  test.use({ keyLimit: 30 });

  test('pages have 25 keys', async ({ admin, tenant }) => {
    for (let number = 10; number < 37; number++) await tenant.key(`Key ${number}`);
    await open(admin, '/tenant-api-keys?sort=name');
    await expect(admin.locator(names)).toHaveCount(25);
    await expect(admin.getByText('Page 1 of 2')).toBeVisible();
    await expect(admin.getByRole('button', { name: 'Previous' })).toBeDisabled();
    await admin.getByRole('link', { name: 'Next' }).click();
    await expect(admin.locator(names)).toHaveText(['Key 35', 'Key 36']);
    await expect(admin).toHaveURL(/sort=name&page=2$/);
    await admin.getByRole('link', { name: 'Previous' }).click();
    await expect(admin.locator(names)).toHaveCount(25);
    await open(admin, '/tenant-api-keys?sort=name&page=9');
    await expect(admin.locator(names), 'past the end is the last page').toHaveText(['Key 35', 'Key 36']);
  });
});

test.describe('at the limit', () => {
  test.use({ keyLimit: 1 });

  test('the button is disabled and names the support contact', async ({ admin, tenant }) => {
    await tenant.key('The only one');
    await open(admin, '/tenant-api-keys');
    await expect(admin.getByText('1/1 keys')).toBeVisible();
    const button = admin.getByRole('button', { name: 'Generate API Key' });
    await expect(button).toBeDisabled();
    await expect(button).toHaveAccessibleDescription(/ask .+ to raise the limit/);
    await expectAccessible(admin);
    await open(admin, '/tenant-api-keys/new');
    await expect(admin.getByRole('heading', { name: 'All the keys are in use (1/1)' })).toBeVisible();
    await expectAccessible(admin);
  });
});

test('rows are there before the WebAssembly is', async ({ admin, tenant }) => {
  await tenant.key('Visible immediately');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await admin.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await admin.goto('/tenant-api-keys', { waitUntil: 'commit' });
  await expect(row(admin, 'Visible immediately')).toBeVisible();
  expect(await admin.locator('html[data-ready]').count()).toBe(0);
  release();
  await alive(admin);
});
