import { expect, test } from './support/test';

test.use({ keyLimit: 40 });

test('the first visit to a full list stays within 300 kB', async ({ admin, tenant, browser, program }) => {
  for (let number = 0; number < 25; number++) {
    await tenant.key(`Key ${number}`, '--description', 'What this key is for', '--ip', `10.${number}.0.0/16`);
  }
  const context = await browser.newContext({ baseURL: program.url, storageState: await admin.context().storageState() });
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  const names = new Map<string, string>();
  const sizes: [string, number][] = [];
  client.on('Network.responseReceived', ({ requestId, response }) => names.set(requestId, response.url));
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    sizes.push([new URL(names.get(requestId)!).pathname, encodedDataLength]);
  });
  await page.goto('/tenant-api-keys', { waitUntil: 'networkidle' });
  await expect(page.locator('html[data-ready]')).toBeAttached();
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  console.log([...sizes, ['in all', total]].map(([name, size]) => `${size} ${name}`).join('\n'));
  expect(sizes.some(([name]) => name.endsWith('.wasm'))).toBe(true);
  expect(total).toBeLessThanOrEqual(300_000);
  await context.close();
});
