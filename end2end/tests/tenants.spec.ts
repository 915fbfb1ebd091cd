import type { Page } from '@playwright/test';
import { expect, expectAccessible, open, password, signIn, test as base } from './support/test';

const test = base.extend<{ root: Page }>({
  /** The page of a super user, signed in. */
  root: async ({ page, program, tenant }, use) => {
    const email = `root@${tenant.slug}.test`;
    const words = ['--email', email, '--name', 'Sam Root', '--role', 'super-user', '--password-stdin'];
    await program.command(['person', 'create', ...words], password);
    await signIn(page, email);
    await use(page);
  },
});

test('a super user makes a tenant and invites its first admin', async ({ root, tenant, complaints }) => {
  await expect(root).toHaveURL(/\/tenants$/);
  await expect(root.getByRole('link', { name: 'API Keys', exact: true })).toHaveCount(0);
  await expectAccessible(root);
  await root.getByRole('link', { name: 'New tenant' }).click();
  await expectAccessible(root);
  const slug = `new-${tenant.slug}`;
  const organization = root.locator('#new-tenant');
  await organization.locator('#new-tenant-name').fill(`Hotel ${slug}`);
  await root.getByLabel('Slug').fill('Not A Slug');
  await root.getByLabel('Time zone').selectOption('Europe/Lisbon');
  await root.getByLabel('Key limit').fill('3');
  await organization.locator('#new-tenant-admin_name').fill('Bea');
  await root.getByLabel('E-mail').fill(`bea@${slug}.test`);
  await root.getByRole('button', { name: 'Create tenant' }).click();
  await expect(root.locator('#new-tenant-slug-error')).toContainText('lower-case');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
  await root.getByLabel('Slug').fill(slug);
  await root.getByRole('button', { name: 'Create tenant' }).click();
  const dialog = root.getByRole('dialog', { name: 'Send this link to the first admin' });
  const link = await dialog.getByLabel('Invitation link').textContent();
  expect(link).toMatch(/\/invitation\/[0-9a-f]{64}$/);
  await expectAccessible(root);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.getByRole('button', { name: 'Close without copying' }).click();
  await expect(root.getByRole('row').filter({ hasText: slug })).toContainText('0 of 3');
  expect(await root.content()).not.toContain(link!.split('/').pop());
});

test('who enters a tenant is told so on every page, and so is the tenant', async ({ root, tenant, complaints }) => {
  await root.getByRole('link', { name: `Hotels of ${tenant.slug}` }).click();
  await expectAccessible(root);
  await root.getByRole('button', { name: 'Enter' }).click();
  const dialog = root.getByRole('dialog');
  await expectAccessible(root);
  await dialog.getByRole('button', { name: 'Enter' }).click();
  await expect(root).toHaveURL(/tenant-api-keys$/);
  const banner = root.getByRole('region', { name: 'Entered tenant' });
  for (const path of ['/tenant-api-keys/new', '/audit-log', '/security', '/user-profile', '/tenants', '/nowhere']) {
    await root.goto(path);
    await expect(banner, path).toContainText(`You are in Hotels of ${tenant.slug} as the super user Sam Root`);
  }
  await open(root, '/audit-log');
  const entered = root.getByRole('row').filter({ hasText: 'Tenant entered by a super user' });
  await expect(entered).toContainText('Sam Root');
  await expect(entered).toContainText('127.0.0.1');
  await expectAccessible(root);
  await banner.getByRole('button', { name: 'Leave' }).press('Enter');
  await expect(root).toHaveURL(/\/tenants$/);
  await expect(banner).toHaveCount(0);
  const refused = await root.goto('/audit-log');
  expect(refused!.status()).toBe(403);
  await expect(root.getByRole('heading', { name: 'Enter a tenant first' })).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('404'), expect.stringContaining('403')]);
});

test('keys end with the subscription and come back with it', async ({ root, tenant, request, browser, baseURL }) => {
  const { secret } = await tenant.key('PMS');
  const call = () => request.get('/api/v1/key', { headers: { 'X-API-Key': secret } });
  const context = await browser.newContext({ baseURL });
  const admin = await context.newPage();
  await signIn(admin, tenant.email('Ana'));
  await root.getByRole('link', { name: `Hotels of ${tenant.slug}` }).click();
  await root.getByRole('button', { name: 'Turn API keys off' }).click();
  await expectAccessible(root);
  await root.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await expect(root.getByText('API keys off', { exact: true })).toBeVisible();
  expect((await call()).status()).toBe(401);
  const refused = await admin.goto('/tenant-api-keys');
  expect(refused!.status()).toBe(403);
  await expect(admin.getByRole('main')).toContainText('Your subscription does not include API keys');
  await expect(admin.getByRole('main')).toContainText('Sam Root');
  await expect(admin.getByRole('link', { name: 'API Keys', exact: true })).toHaveCount(0);
  await root.getByRole('button', { name: 'Turn API keys on' }).click();
  await root.getByRole('dialog').getByRole('button', { name: 'Turn on' }).click();
  await expect(root.getByText('API keys on', { exact: true })).toBeVisible();
  expect((await call()).status()).toBe(200);
  expect((await admin.goto('/tenant-api-keys'))!.status()).toBe(200);
  await context.close();
});

test('a tenant’s settings are changed', async ({ root, tenant }) => {
  await root.getByRole('link', { name: `Hotels of ${tenant.slug}` }).click();
  await root.getByLabel('Key limit').fill('25');
  await root.getByRole('button', { name: 'Save' }).click();
  await expect(root.getByText('0 of 25')).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('nothing is wider than the screen', async ({ root, tenant }) => {
    const there = root.getByRole('link', { name: `Hotels of ${tenant.slug}` });
    const address = (await there.getAttribute('href'))!;
    for (const path of ['/tenants', '/tenants/new', address]) {
      await open(root, path);
      const content = await root.evaluate(() => document.documentElement.scrollWidth);
      expect(content, path).toBeLessThanOrEqual(360);
      await expectAccessible(root);
    }
  });
});
