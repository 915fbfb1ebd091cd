import { expect, openDialog, row, test } from './support/test';

// Calls as an integration makes them, and what an admin then sees of them.

test('what a key is used for stands on its page', async ({ admin, tenant, request }) => {
  const { secret } = await tenant.key('PMS', '--rate-limit', '3');
  const call = (path: string) => request.get(`/api/v1${path}`, { headers: { 'X-API-Key': secret } });
  for (const expected of [200, 200, 200, 429]) expect((await call('/properties')).status()).toBe(expected);

  const events = admin.getByRole('region', { name: 'Log' }).locator('tbody tr');
  await admin.goto('/tenant-api-keys');
  await row(admin, 'PMS').getByRole('link', { name: 'PMS', exact: true }).click();
  // Usage is written behind, about every second.
  await expect(async () => {
    await admin.reload();
    await expect(events).toHaveCount(4, { timeout: 500 });
  }).toPass();
  await expect(events.first()).toContainText('429');
  await expect(events.first()).toContainText('/api/v1/properties');
  await expect(events.first()).toContainText('127.0.0.1');
  const chart = admin.getByRole('img', { name: /4 calls in the last 24 hours: 3 allowed, 1 rate limited, 0 denied/ });
  await expect(chart).toBeVisible();
  await admin.goto('/tenant-api-keys');
  await expect(row(admin, 'PMS')).toContainText('just now');
});

test('a key that is revoked in the console is refused from the next call', async ({ admin, tenant, request }) => {
  const { secret } = await tenant.key('Widget');
  const call = () => request.get('/api/v1/key', { headers: { Authorization: `Bearer ${secret}` } });
  expect((await call()).status()).toBe(200);
  await admin.reload();
  const dialog = await openDialog(admin, 'Revoke', 'Widget');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(row(admin, 'Widget')).toContainText('Revoked');
  const refused = await call();
  expect(refused.status()).toBe(401);
  expect((await refused.json()).code).toBe('key_revoked');
});

test('who still signs in with a password stands above the keys', async ({ admin, tenant, request }) => {
  const basic = Buffer.from(`${tenant.email('Ana')}:correct horse battery`).toString('base64');
  const answer = await request.get('/api/v1/properties', { headers: { Authorization: `Basic ${basic}` } });
  expect(answer.status()).toBe(200);
  expect(answer.headers()['sunset']).toContain('2027');
  const panel = admin.getByRole('table', { name: 'People whose password is used to call the API' });
  await expect(async () => {
    await admin.reload();
    await expect(panel).toContainText(tenant.email('Ana'), { timeout: 500 });
  }).toPass();
  await panel.getByRole('link', { name: /^Create a key/ }).click();
  await expect(admin).toHaveURL(/tenant-api-keys\/new/);
});
