import type { Page } from '@playwright/test';
import { expect, expectAccessible, open, openDialog, row, test } from './support/test';

test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  // Not the window's own width: a phone's grows with the page in it.
  const content = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(content, 'the page is wider than the phone').toBeLessThanOrEqual(page.viewportSize()!.width);
}

test('the list is a list of cards', async ({ admin, tenant }) => {
  await tenant.key('Property management system', '--description', 'A long description '.repeat(6), '--ip', '10.0.0.0/8');
  await tenant.key('x'.repeat(120));
  await open(admin, '/tenant-api-keys');
  await expectNoSidewaysScroll(admin);
  await expect(row(admin, 'Property management system')).toContainText('Active');
  await expectAccessible(admin);
});

test('the menu opens and closes', async ({ admin }) => {
  await expect(admin.getByRole('link', { name: 'API Keys', exact: true })).toBeHidden();
  await admin.getByRole('button', { name: 'Menu' }).tap();
  await expect(admin.getByRole('link', { name: 'API Keys', exact: true })).toBeVisible();
  await expect(admin.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await expectAccessible(admin);
  await admin.keyboard.press('Escape');
  await expect(admin.getByRole('link', { name: 'API Keys', exact: true })).toBeHidden();
});

test('the form and the dialogs fit', async ({ admin, tenant }) => {
  await tenant.key('PMS', '--property', tenant.properties[0]!.id);
  await open(admin, '/tenant-api-keys/new');
  await expectNoSidewaysScroll(admin);
  await expectAccessible(admin);
  for (const verb of ['Edit', 'Rotate', 'Revoke', 'Delete']) {
    await open(admin, '/tenant-api-keys');
    const dialog = await openDialog(admin, verb, 'PMS');
    await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeVisible();
    const [content, width] = await dialog.evaluate((element) => [element.scrollWidth, element.clientWidth]);
    expect(content, `${verb} scrolls sideways`).toBeLessThanOrEqual(width!);
    await expectAccessible(admin);
  }
});
