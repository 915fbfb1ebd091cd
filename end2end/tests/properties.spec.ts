import type { Page } from '@playwright/test';
import { alive, expect, expectAccessible, open, signIn, test, watch } from './support/test';

const rename = (name: string) => ({ name: `Rename ${name}`, exact: true });

/** A row of the list. */
function property(page: Page, name: string) {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
}

test('a property is created, and only once', async ({ admin, tenant, complaints }) => {
  await open(admin, '/');
  await admin.getByRole('link', { name: 'Properties' }).click();
  await alive(admin);
  await expect(admin.getByRole('link', { name: 'Properties' })).toHaveAttribute('aria-current', 'page');
  await expect(admin.getByRole('rowheader')).toHaveText(['Harbour House', 'Old Town']);
  await expectAccessible(admin);
  await admin.getByRole('button', { name: 'New property' }).click();
  const dialog = admin.getByRole('dialog', { name: 'New property' });
  const name = dialog.getByLabel('Name');
  await expect(name).toBeFocused();
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(name).toHaveAccessibleDescription(/Enter a name\.$/);
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expect(name).toBeFocused();
  await expectAccessible(admin);
  await name.fill('Old Town');
  await expect(name, 'what was said of it is gone').not.toHaveAttribute('aria-invalid');
  await expect(name).not.toHaveAccessibleDescription(/Enter a name/);
  await name.press('Enter');
  await expect(name).toHaveAccessibleDescription(/The tenant already has a property with this name\.$/);
  await expect(name, 'what was typed stays').toHaveValue('Old Town');
  await name.fill('Seaview');
  await dialog.getByRole('button', { name: 'Create' }).dblclick();
  await expect(admin.getByText('Created “Seaview”.')).toBeVisible();
  await expect(admin.getByRole('link', { name: 'Seaview' })).toBeFocused();
  await expect(admin.getByRole('rowheader')).toHaveText(['Harbour House', 'Old Town', 'Seaview']);
  expect(await tenant.program.command(['property', 'list', '--tenant', tenant.slug])).toHaveLength(3);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422'), expect.stringContaining('422')]);
});

test('a dialog keeps what was typed, and gives the focus back', async ({ admin, complaints }) => {
  await open(admin, '/properties');
  await admin.getByRole('button', rename('Old Town')).click();
  const dialog = admin.getByRole('dialog', { name: 'Rename “Old Town”' });
  await dialog.getByLabel('Name').fill('New Town');
  await admin.route('**/console/rename_property', (route) => route.abort());
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('The server cannot be reached. Check your connection and try again.');
  await expectAccessible(admin);
  await admin.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole('button', rename('Old Town'))).toBeFocused();
  await admin.unroute('**/console/rename_property');
  await admin.keyboard.press('Enter');
  await expect(dialog.getByLabel('Name')).toHaveValue('New Town');
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await expect(admin.getByText('Renamed it “New Town”.')).toBeVisible();
  await expect(property(admin, 'New Town')).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
});

test('what is under way cannot be cancelled', async ({ admin }) => {
  let calls = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await admin.route('**/console/archive_property', async (route) => {
    calls += 1;
    await held;
    await route.continue();
  });
  await open(admin, '/properties');
  await admin.getByRole('button', { name: 'Archive Old Town' }).click();
  const dialog = admin.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Archive' }).click();
  await expect(dialog.getByRole('button', { name: 'Archiving…' })).toHaveAttribute('aria-disabled', 'true');
  // Playwright itself would wait for a button that is off.
  await dialog.getByRole('button', { name: 'Archiving…' }).click({ force: true });
  await admin.keyboard.press('Escape');
  await admin.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeVisible();
  release();
  await expect(admin.getByText('Archived “Old Town”.')).toBeVisible();
  expect(calls).toBe(1);
});

test('archiving takes a property from the keys, and restoring gives it back', async ({ admin, tenant, request }) => {
  const [harbour, oldTown] = tenant.properties;
  const { secret } = await tenant.key('PMS', '--property', harbour!.id, '--property', oldTown!.id);
  await tenant.key('For all');
  const reached = async () => {
    const answer = await request.get('/api/v1/properties', { headers: { 'X-API-Key': secret } });
    return ((await answer.json()) as { data: { name: string }[] }).data.map(({ name }) => name);
  };
  await open(admin, '/properties');
  await expect(property(admin, 'Old Town')).toContainText('2 keys');
  await admin.getByRole('button', { name: 'Archive Old Town' }).click();
  const dialog = admin.getByRole('dialog', { name: 'Archive “Old Town”?' });
  await expect(dialog).toContainText('2 active keys reach it and will not any more');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Archive' }).click();
  await expect(admin.getByText('Archived “Old Town”.')).toBeVisible();
  expect(await reached()).toEqual(['Harbour House']);
  const archived = admin.getByRole('region', { name: 'Archived' });
  await expect(archived.getByRole('rowheader')).toHaveText(['Old Town']);
  await expectAccessible(admin);
  await open(admin, '/tenant-api-keys/new');
  await admin.getByLabel('Access to all properties').uncheck();
  await expect(admin.getByLabel('Harbour House')).toBeVisible();
  await expect(admin.getByLabel('Old Town'), 'it is not offered').toHaveCount(0);
  await open(admin, '/properties');
  await archived.getByRole('button', { name: 'Restore Old Town' }).click();
  await expect(admin.getByRole('dialog')).toContainText('2 active keys have it in their selection');
  await admin.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await expect(admin.getByText('Restored “Old Town”.')).toBeVisible();
  await expect(archived).toHaveCount(0);
  expect((await reached()).sort()).toEqual(['Harbour House', 'Old Town']);
});

test('the page of a property leads to the keys that reach it', async ({ admin, tenant }) => {
  const [harbour] = tenant.properties;
  await tenant.key('PMS', '--property', harbour!.id);
  await tenant.key('For all');
  await tenant.key('Elsewhere', '--property', tenant.properties[1]!.id);
  await open(admin, `/properties/${harbour!.id}`);
  const keys = admin.getByRole('region', { name: 'Keys that reach it' });
  await expect(keys.getByRole('link')).toHaveText(['For all', 'PMS']);
  await expect(keys).toContainText('2 active keys');
  await expectAccessible(admin);
  await admin.getByRole('button', rename('Harbour House')).click();
  await admin.getByRole('dialog').getByLabel('Name').fill('Harbour Hotel');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('heading', { name: 'Harbour Hotel' })).toBeVisible();
  await keys.getByRole('link', { name: 'PMS' }).click();
  await expect(admin.getByRole('heading', { name: 'PMS' })).toBeVisible();
});

test('the second of two admins who rename it is told', async ({ admin, tenant, browser, complaints }) => {
  await tenant.person('Ben', 'tenant-admin');
  const other = await browser.newContext({ baseURL: tenant.program.url });
  const ben = await other.newPage();
  watch(ben, complaints);
  await signIn(ben, tenant.email('Ben'));
  await open(admin, '/properties');
  await open(ben, '/properties');
  for (const [page, name] of [
    [admin, 'Ana’s House'],
    [ben, 'Ben’s House'],
  ] as const) {
    await page.getByRole('button', rename('Harbour House')).click();
    await page.getByRole('dialog').getByLabel('Name').fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    if (page === admin) await expect(property(admin, name)).toBeVisible();
  }
  await expect(ben.getByRole('alert').filter({ hasText: 'Ana changed this property while you were editing' })).toBeVisible();
  await expect(ben.getByRole('dialog').getByLabel('Name')).toHaveValue('Ben’s House');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
  await other.close();
});

test('without properties, the page says what they are for', async ({ page, program, tenant }) => {
  for (const { id } of tenant.properties) await program.command(['property', 'archive', id]);
  await signIn(page, tenant.email('Ana'));
  await open(page, '/properties');
  await expect(page.getByRole('heading', { name: 'No properties yet' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'New property' }).press('Enter');
  await page.keyboard.type('Seaview');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'Seaview' })).toBeFocused();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the list, the dialogs and the page fit', async ({ admin, tenant, program }) => {
    const long = 'x'.repeat(100);
    const { id } = await program.command(['property', 'create', '--tenant', tenant.slug, '--name', long]);
    await tenant.key('y'.repeat(120));
    await program.command(['property', 'archive', tenant.properties[0]!.id]);
    for (const path of ['/properties', `/properties/${id}`]) {
      await open(admin, path);
      const content = await admin.evaluate(() => document.documentElement.scrollWidth);
      expect(content, path).toBeLessThanOrEqual(360);
      await expectAccessible(admin);
    }
    await admin.getByRole('button', { name: /^Archive/ }).tap();
    await expect(admin.getByRole('dialog').getByRole('button', { name: 'Cancel' })).toBeVisible();
    await expectAccessible(admin);
  });
});
