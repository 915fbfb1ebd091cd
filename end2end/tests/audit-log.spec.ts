import { expect, expectAccessible, open, test } from './support/test';

test('the audit log shows changes with old and new values', async ({ admin, tenant, program }) => {
  const { id } = await tenant.key('PMS', '--rate-limit', '60');
  await program.command(['key', 'edit', id, '--name', 'Front desk', '--rate-limit', '120']);
  await admin.getByRole('link', { name: 'Audit log' }).click();
  await expect(admin.getByRole('heading', { name: 'Audit log' })).toBeVisible();
  const edited = admin.getByRole('row').filter({ hasText: 'API key edited' });
  await expect(edited).toContainText('Operator');
  await expect(edited).toContainText('Shell');
  await edited.getByText('Details').click();
  const differences = edited.getByRole('table', { name: 'What changed' });
  await expect(differences.getByRole('row', { name: 'Name PMS Front desk' })).toBeVisible();
  await expect(differences.getByRole('row', { name: 'Rate limit per minute 60 120' })).toBeVisible();
  await expect(admin.getByRole('row').filter({ hasText: 'Signed in' }).first()).toContainText('127.0.0.1');
  await expectAccessible(admin);
  await edited.getByRole('link', { name: 'Front desk', exact: true }).click();
  await expect(admin).toHaveURL(new RegExp(`/tenant-api-keys/${id}$`));
});

test('the log is narrowed without a script', async ({ admin, tenant, browser, baseURL }) => {
  await tenant.key('PMS');
  await tenant.key('Widget');
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL });
  await context.addCookies(await admin.context().cookies());
  const page = await context.newPage();
  await page.goto('/audit-log');
  await page.getByRole('combobox', { name: 'What', exact: true }).selectOption({ label: 'API key generated' });
  await page.getByRole('combobox', { name: 'Who' }).selectOption({ label: 'Operator' });
  await page.getByLabel('On what').fill('pms');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/subject=pms/);
  const changes = page.getByRole('table', { name: 'What was changed' }).locator(':scope > tbody > tr');
  await expect(changes).toHaveCount(1);
  await expect(changes).toContainText('PMS');
  await expect(page.getByLabel('On what')).toHaveValue('pms');
  await page.getByLabel('From', { exact: true }).fill('2020-01-01');
  await page.getByLabel('To', { exact: true }).fill('2020-01-02');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page.getByRole('heading', { name: 'No change matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear the filters' }).click();
  await expect(page).toHaveURL(/audit-log$/);
  await context.close();
});

test('the log is taken along as it is narrowed', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/audit-log?action=key.generated');
  const download = admin.waitForEvent('download');
  await admin.getByRole('link', { name: 'Export as CSV' }).click();
  expect((await download).suggestedFilename()).toMatch(/^audit-log-.*\.csv$/);
});

test('a row is opened and left by the keyboard alone', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/audit-log?action=key.generated');
  await admin.getByText('Details').focus();
  await admin.keyboard.press('Enter');
  await expect(admin.getByText('Terms: rate limit per minute')).toBeVisible();
  await admin.keyboard.press('Tab');
  await expect(admin.getByRole('link', { name: 'PMS', exact: true })).toBeFocused();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the log is a list of cards', async ({ admin, tenant, program }) => {
    const { id } = await tenant.key('x'.repeat(120));
    await program.command(['key', 'edit', id, '--name', 'Front desk']);
    await open(admin, '/audit-log');
    for (const details of await admin.getByText('Details').all()) await details.click();
    const content = await admin.evaluate(() => document.documentElement.scrollWidth);
    expect(content, 'the page is wider than the phone').toBeLessThanOrEqual(360);
    await expectAccessible(admin);
  });
});
