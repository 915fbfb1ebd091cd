import { alive, expect, expectAccessible, open, signIn, test, watch } from './support/test';

async function idOf(program: import('./support/program').Program, slug: string, name: string): Promise<string> {
  const groups: { id: string; name: string }[] = await program.command(['group', 'list', '--tenant', slug]);
  return groups.find((group) => group.name === name)!.id;
}

test('the list tells what groups allow and who uses them', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS', '--group', 'Booking');
  await tenant.key('Second', '--group', 'Booking');
  await tenant.program.command(['key', 'revoke', id]);
  await admin.getByRole('link', { name: 'Authorization groups' }).click();
  await alive(admin);
  await expect(admin.getByRole('rowheader')).toHaveText(['Booking', 'Full access', 'Read only', 'Verifier']);
  const booking = admin.getByRole('row', { name: 'Booking' });
  await expect(booking).toContainText('For API keys');
  await expect(booking).toContainText('reservations:*');
  await expect(booking).toContainText('1 key and 1 revoked');
  await expectAccessible(admin);
});

test('a group is made of what is picked and what is typed', async ({ admin, tenant, complaints }) => {
  await open(admin, '/authorization-groups');
  await admin.getByRole('link', { name: 'New group' }).click();
  await alive(admin);
  await expectAccessible(admin);
  const name = admin.getByLabel('Name', { exact: true });
  const others = admin.getByLabel('Other permissions');
  await admin.getByRole('button', { name: 'Create' }).click();
  await expect(name).toBeFocused();
  await expect(name).toHaveAccessibleDescription('Enter a name.');
  await expect(others).toHaveAccessibleDescription(/Give the group at least one permission\.$/);
  await expectAccessible(admin);
  await name.fill('Front desk');
  await admin.getByRole('radio', { name: 'People' }).check();
  await admin.getByRole('group', { name: 'Reservations' }).getByRole('checkbox', { name: 'All' }).check();
  await admin.getByRole('group', { name: 'Services' }).getByRole('checkbox', { name: 'Read' }).check();
  await others.fill('invoices:read\nInvoices\n\na:b:c');
  await admin.getByRole('button', { name: 'Create' }).click();
  await expect(admin.locator('#new-group-permissions-error p')).toHaveText([/^"Invoices" is not a permission/, /^"a:b:c" is/]);
  await expect(others, 'nothing is lost').toHaveValue('invoices:read\nInvoices\n\na:b:c');
  await expect(admin.getByRole('radio', { name: 'People' })).toBeChecked();
  await others.fill('invoices:read');
  await admin.getByRole('button', { name: 'Create' }).click();
  await expect(admin.getByText('Created “Front desk”.')).toBeVisible();
  await expect(admin.getByRole('link', { name: 'Front desk' })).toBeFocused();
  const groups: { name: string; type: string; permissions: string[] }[] = await tenant.program.command([
    ...['group', 'list', '--tenant', tenant.slug],
  ]);
  expect(groups.find((group) => group.name === 'Front desk')).toMatchObject({
    type: 'person',
    permissions: ['invoices:read', 'reservations:*', 'services:read'],
  });
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422'), expect.stringContaining('422')]);
});

test('an edit names the affected keys, and applies from the next call', async ({ admin, tenant, request }) => {
  const { secret } = await tenant.key('PMS', '--group', 'Booking');
  const property = tenant.properties[0]!.id;
  const services = () => request.get(`/api/v1/services?property_id=${property}`, { headers: { 'X-API-Key': secret } });
  expect((await services()).status()).toBe(200);
  await open(admin, `/authorization-groups/${await idOf(tenant.program, tenant.slug, 'Booking')}`);
  await expect(admin.getByText('Saving changes what 1 active key may do')).toBeVisible();
  await expect(admin.getByText('It cannot be deleted: 1 active key uses this group.')).toBeVisible();
  await expect(admin.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await expectAccessible(admin);
  const read = admin.getByRole('group', { name: 'Services' }).getByRole('checkbox', { name: 'Read' });
  await expect(read).toBeChecked();
  await read.uncheck();
  await admin.getByLabel('Name', { exact: true }).fill('Reserving');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('Saved “Reserving”.')).toBeVisible();
  await expect(read).not.toBeChecked();
  expect((await services()).status()).toBe(403);
  await admin.getByRole('region', { name: 'Keys that use it' }).getByRole('link', { name: 'PMS' }).click();
  await expect(admin.getByRole('heading', { name: 'PMS' })).toBeVisible();
});

test('the second of two admins is told, and overwrites nothing', async ({ admin, tenant, browser, complaints }) => {
  await tenant.person('Ben', 'tenant-admin');
  const other = await browser.newContext({ baseURL: tenant.program.url });
  const ben = await other.newPage();
  watch(ben, complaints);
  await signIn(ben, tenant.email('Ben'));
  const path = `/authorization-groups/${await idOf(tenant.program, tenant.slug, 'Booking')}`;
  await open(admin, path);
  await open(ben, path);
  await admin.getByLabel('Other permissions').fill('invoices:read');
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('Saved “Booking”.')).toBeVisible();
  await ben.getByLabel('Other permissions').fill('invoices:write');
  await ben.getByRole('button', { name: 'Save' }).click();
  await expect(ben.getByRole('alert').filter({ hasText: 'Ana changed this group while you were editing' })).toBeVisible();
  await expect(ben.getByLabel('Other permissions')).toHaveValue('invoices:write');
  await ben.reload();
  await expect(ben.getByLabel('Other permissions')).toHaveValue('invoices:read');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
  await other.close();
});

test('a group that nothing uses is deleted', async ({ admin, tenant, complaints }) => {
  const path = `/authorization-groups/${await idOf(tenant.program, tenant.slug, 'Booking')}`;
  await open(admin, path);
  await admin.getByRole('button', { name: 'Delete' }).click();
  const dialog = admin.getByRole('dialog', { name: 'Delete “Booking”?' });
  await expectAccessible(admin);
  const { id } = await tenant.key('Booking widget', '--group', 'Booking');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('1 active key uses this group. Give the active keys another group.');
  await tenant.program.command(['key', 'delete', id]);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(admin.getByText('Deleted “Booking”.')).toBeVisible();
  await expect(admin).toHaveURL(/authorization-groups$/);
  await expect(admin.getByRole('rowheader')).toHaveText(['Full access', 'Read only', 'Verifier']);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
});

test('by keyboard alone', async ({ admin, tenant }) => {
  await open(admin, '/authorization-groups/new');
  await admin.getByLabel('Name', { exact: true }).focus();
  await admin.keyboard.type('Reporting');
  await admin.keyboard.press('Tab');
  await expect(admin.getByRole('radio', { name: /^API keys/ })).toBeFocused();
  await admin.keyboard.press('Tab');
  await expect(admin.getByRole('checkbox').first()).toBeFocused();
  await admin.keyboard.press('Space');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('link', { name: 'Reporting' })).toBeFocused();
  const groups: { name: string; permissions: string[] }[] = await tenant.program.command([
    ...['group', 'list', '--tenant', tenant.slug],
  ]);
  expect(groups.find((group) => group.name === 'Reporting')!.permissions).toEqual(['*:read']);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the list and the forms fit', async ({ admin, tenant, program }) => {
    const words = ['group', 'create', '--tenant', tenant.slug, '--name', 'x'.repeat(100), '--type', 'tenant-api-key'];
    const { id } = await program.command([...words, '--permission', `${'a'.repeat(64)}:${'b'.repeat(64)}`]);
    for (const path of ['/authorization-groups', '/authorization-groups/new', `/authorization-groups/${id}`]) {
      await open(admin, path);
      const content = await admin.evaluate(() => document.documentElement.scrollWidth);
      expect(content, path).toBeLessThanOrEqual(360);
      await expectAccessible(admin);
    }
  });
});
