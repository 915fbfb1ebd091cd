import type { Page } from '@playwright/test';
import { alive, expect, open, password, row, test } from './support/test';

// Nothing in this file touches a pointer.

/** Presses Tab until something is focused that has this name. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const matches = (text: string) => (typeof name === 'string' ? text === name : name.test(text));
  for (let presses = 0; presses < 80; presses++) {
    const focused = page.locator(':focus');
    if ((await focused.count()) === 1) {
      const snapshot = await focused.first().ariaSnapshot();
      const label = /^- \w+ "([^"]*)"/.exec(snapshot)?.[1];
      if (label !== undefined && matches(label)) return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reached ${name}`);
}

/** Tabs round and round and never leaves the dialog, but for the browser's own controls. */
async function expectFocusKept(page: Page): Promise<void> {
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab');
    const outside = await page.evaluate(() => {
      const focused = document.activeElement;
      return focused !== null && focused !== document.body && focused.closest('dialog') === null;
    });
    expect(outside, 'the focus left the dialog').toBe(false);
  }
}

test('signing in and generating a key', async ({ page, tenant }) => {
  await open(page, '/');
  await expect(page.getByLabel('E-mail')).toBeFocused();
  await page.keyboard.type(tenant.email('Ana'));
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/tenant-api-keys$/);
  await alive(page);
  await tabTo(page, 'Skip to the content');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Generate API Key');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/new$/);
  await alive(page);
  await tabTo(page, 'Key name');
  await page.keyboard.type('By keyboard');
  await tabTo(page, /Booking/);
  await page.keyboard.press('Space');
  await expect(page.getByRole('radio', { name: 'Booking' })).toBeChecked();
  await tabTo(page, /Write/);
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Copy' })).toBeFocused();
  await expectFocusKept(page);
  await tabTo(page, 'Done');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Close without copying');
  await page.keyboard.press('Enter');
  await expect(row(page, 'By keyboard')).toContainText('Read, Write');
});

test('rotating', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  await tabTo(admin, 'Rotate PMS');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('dialog')).toBeVisible();
  await expectFocusKept(admin);
  await admin.keyboard.press('Escape');
  await expect(admin.getByRole('dialog')).toHaveCount(0);
  await expect(admin.getByRole('button', { name: 'Rotate PMS' })).toBeFocused();
  await admin.keyboard.press('Enter');
  await tabTo(admin, 'No, it stops working now');
  await admin.keyboard.press('ArrowDown');
  await expect(admin.getByRole('radio', { name: 'For 1 hour' })).toBeChecked();
  await tabTo(admin, 'Rotate');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('dialog', { name: 'Copy the secret of' })).toBeVisible();
  await tabTo(admin, 'Done');
  await admin.keyboard.press('Enter');
  await tabTo(admin, 'Close without copying');
  await admin.keyboard.press('Enter');
  await expect(row(admin, 'PMS')).toContainText('Old secret until');
});

test('revoking and deleting', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  await tabTo(admin, 'Revoke PMS');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('dialog')).toBeVisible();
  await expectFocusKept(admin);
  await tabTo(admin, 'Revoke');
  await admin.keyboard.press('Enter');
  await expect(row(admin, 'PMS')).toContainText('Revoked');
  await alive(admin);
  await tabTo(admin, 'Delete PMS');
  await admin.keyboard.press('Enter');
  await tabTo(admin, 'Delete');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('heading', { name: 'No API keys yet' })).toBeVisible();
});

test('deleting an active key by typing its name', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  await tabTo(admin, 'Delete PMS');
  await admin.keyboard.press('Enter');
  await tabTo(admin, /to confirm/);
  await admin.keyboard.type('PMS');
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('heading', { name: 'No API keys yet' })).toBeVisible();
});
