import { expect, expectAccessible, open, openDialog, row, signIn, test, watch } from './support/test';

test('an edit changes everything but the secret and the expiration', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS', '--expires', '2099-01-31', '--ip', '10.0.0.0/8');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Edit', 'PMS');
  const name = dialog.getByLabel('Key name');
  await expect(name).toBeFocused();
  await expect(name).toHaveValue('PMS');
  await expect(dialog.getByRole('radio', { name: 'Full access' })).toBeChecked();
  await expect(dialog.getByLabel('IP allowlist')).toHaveValue('10.0.0.0/8');
  await expect(dialog).toContainText('31 Jan 2099');
  await expect(dialog).toContainText('The expiration changes by rotating the key.');
  await expectAccessible(admin);
  await name.fill('Front desk');
  await dialog.getByLabel('Description').fill('Changed');
  await dialog.getByRole('radio', { name: 'Booking' }).check();
  await dialog.getByRole('checkbox', { name: 'Write' }).check();
  await dialog.getByLabel('IP allowlist').fill('');
  await dialog.getByLabel('Allowed origins').fill('https://a.example');
  await dialog.getByLabel('Rate limit').fill('10');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(row(admin, 'Front desk')).toContainText('Booking');
  await expect(admin.getByText('Saved “PMS”.')).toBeVisible();
  await expect(row(admin, 'Front desk').getByRole('button', { name: 'Edit Front desk' })).toBeFocused();
  expect(await tenant.program.command(['key', 'show', id])).toMatchObject({
    name: 'Front desk',
    description: 'Changed',
    group: { name: 'Booking' },
    scopes: ['read', 'write'],
    allowed_ips: [],
    allowed_origins: ['https://a.example'],
    rate_limit_per_minute: 10,
    expires_at: '2099-01-31T23:59:59.999Z',
    version: 2,
  });
});

test('wrong fields are named and nothing is lost', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Edit', 'PMS');
  await dialog.getByLabel('Rate limit').fill('0');
  await dialog.getByLabel('Key name').fill('');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(dialog.getByText('Enter a name.')).toBeVisible();
  await expect(dialog.getByText('between 1 and 1000 requests a minute')).toBeVisible();
  await expect(dialog.getByLabel('Key name')).toBeFocused();
  await expect(dialog.getByLabel('Rate limit')).toHaveValue('0');
  await expectAccessible(admin);
});

test('the second of two admins is told what changed, and chooses', async ({ admin, tenant, browser, program, complaints }) => {
  await tenant.person('Ben', 'tenant-admin');
  const { id } = await tenant.key('PMS');
  const other = await browser.newContext({ baseURL: program.url });
  const ben = await other.newPage();
  watch(ben, complaints);
  await signIn(ben, tenant.email('Ben'));
  const bens = await openDialog(ben, 'Edit', 'PMS');
  await bens.getByLabel('Description').fill('What Ben wanted to say');

  await open(admin, '/tenant-api-keys');
  const anas = await openDialog(admin, 'Edit', 'PMS');
  await anas.getByLabel('Key name').fill('Renamed by Ana');
  await anas.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(row(admin, 'Renamed by Ana')).toBeVisible();

  await bens.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(bens.getByRole('alert').first()).toContainText('Ana changed this key on');
  const difference = bens.getByRole('row', { name: /Key name/ });
  await expect(difference).toContainText('PMS');
  await expect(difference).toContainText('Renamed by Ana');
  await expect(bens.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  await expectAccessible(ben);
  expect(await program.command(['key', 'show', id]), 'nothing overwritten').toMatchObject({ name: 'Renamed by Ana', description: '' });

  await bens.getByRole('button', { name: 'Start over from the key as it is now' }).click();
  await expect(bens.getByLabel('Key name')).toHaveValue('Renamed by Ana');
  await bens.getByLabel('Description').fill('What Ben wanted to say');
  await program.command(['key', 'edit', id, '--rate-limit', '77']);
  await bens.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(bens.getByRole('alert').first()).toContainText('Operator changed this key on');
  await bens.getByRole('button', { name: 'Keep what I typed, to save it over theirs' }).click();
  await expect(bens.getByLabel('Description')).toHaveValue('What Ben wanted to say');
  await bens.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(row(ben, 'Renamed by Ana')).toContainText('What Ben wanted to say');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409'), expect.stringContaining('409')]);
  await other.close();
});

test('a concurrent rotation is shown by its secret and expiration', async ({ admin, tenant, complaints }) => {
  const { id, secret: old } = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Edit', 'PMS');
  await dialog.getByLabel('Key name').fill('Front desk');
  const { secret } = await tenant.program.command(['key', 'rotate', id, '--expires', '2099-01-31']);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  const changed = (what: string) => dialog.getByRole('row', { name: what });
  await expect(changed('Expiration')).toContainText('Never');
  await expect(changed('Expiration')).toContainText('31 Jan 2099');
  await expect(changed('Secret')).toContainText(old.slice(-4));
  await expect(changed('Secret')).toContainText(secret.slice(-4));
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
});

test('a concurrently deleted key is reported', async ({ admin, tenant, complaints }) => {
  const { id } = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  await tenant.program.command(['key', 'delete', id]);
  const dialog = await openDialog(admin, 'Edit', 'PMS');
  await expect(dialog.getByRole('alert')).toHaveText('This key no longer exists. It may have been deleted.');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(dialog).toHaveCount(0);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('404')]);
});

test('a revoked key has no edit, no rotation and no revocation', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS');
  await tenant.program.command(['key', 'revoke', id]);
  await open(admin, '/tenant-api-keys');
  await expect(row(admin, 'PMS').getByRole('button')).toHaveCount(1);
  await expect(row(admin, 'PMS').getByRole('button', { name: 'Delete PMS' })).toBeVisible();
});
