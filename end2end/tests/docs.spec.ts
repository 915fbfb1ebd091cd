import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessible, open, test } from './support/test';

const pages = ['/docs', '/docs/keys', '/docs/verify', '/docs/migrate'];

// The reference is a long page, and axe looks at all of it twice.
test.slow();

type Operation = { operationId: string; summary: string };

async function operations(page: Page): Promise<{ method: string; path: string; operation: Operation }[]> {
  const document = await (await page.request.get('/api/openapi.json')).json();
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>);
  return paths.flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function call(page: Page, summary: string): Locator {
  return page.getByRole('article', { name: summary });
}

/** Opens the form of a call. */
async function tryOut(page: Page, summary: string): Promise<Locator> {
  const article = call(page, summary);
  await article.getByText('Try it', { exact: true }).click();
  await expect(article.getByRole('button', { name: 'Send' })).toBeVisible();
  return article;
}

/** Sends it and answers the body. */
async function send(article: Locator, status: RegExp): Promise<string> {
  await article.getByRole('button', { name: 'Send' }).click();
  await expect(article.getByRole('status')).toHaveText(status);
  return article.getByRole('group', { name: 'The answer’s body' }).innerText();
}

async function giveKey(page: Page, secret: string): Promise<void> {
  await page.getByLabel('API key', { exact: true }).fill(secret);
}

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  // Not the window's own width: a phone's grows with the page in it.
  const content = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(content, 'the page is wider than the window').toBeLessThanOrEqual(page.viewportSize()!.width);
}

test('the reference tells of every call that there is', async ({ page, program }) => {
  await open(page, '/docs');
  const all = await operations(page);
  expect(all.length).toBeGreaterThan(8);
  for (const { method, path, operation } of all) {
    const article = call(page, operation.summary);
    await expect(article.locator('.call-line'), operation.operationId).toHaveText(`${method}${path}`);
    await expect(article.getByRole('group', { name: 'With curl' })).toContainText(`${program.url}${path.split('{')[0]}`);
    const contents = page.getByRole('navigation', { name: 'On this page' });
    await expect(contents.getByRole('link', { name: operation.summary })).toHaveAttribute('href', `#${operation.operationId}`);
  }
  await expect(page.getByRole('article').locator('.call')).toHaveCount(all.length);
  const reserve = call(page, 'Make a reservation');
  await expect(reserve).toContainText('Requires reservations:write');
  await expect(reserve.getByRole('rowheader', { name: 'guest.email' })).toBeVisible();
  await expect(call(page, 'List the properties').getByRole('row', { name: 'limit' })).toContainText('The page size, 50 by default. 1 to 200');
});

for (const path of pages) {
  test(`${path} needs no sign-in and no other host, and is accessible`, async ({ page, program }) => {
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).origin));
    const answer = await page.goto(`${path}/`);
    expect(answer!.status()).toBe(200);
    expect(answer!.headers()['cache-control']).toBe('no-store');
    await open(page, path);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    const current = page.getByRole('navigation', { name: 'Documentation' }).locator('[aria-current=page]');
    await expect(current).toHaveAttribute('href', path);
    const anchors = page.locator('a[href^="#"]');
    for (const href of await anchors.evaluateAll((links) => links.map((link) => link.getAttribute('href')!))) {
      await expect(page.locator(`[id="${href.slice(1)}"]`), href).toBeAttached();
    }
    expect([...hosts]).toEqual([program.url]);
  });
}

test('links between the pages lead to something', async ({ page }) => {
  const links = new Set<string>();
  for (const path of pages) {
    await page.goto(path);
    const found = await page.locator('main a[href^="/docs"]').evaluateAll((all) => all.map((link) => link.getAttribute('href')!));
    found.forEach((href) => links.add(href));
  }
  for (const href of links) {
    const answer = await page.goto(href);
    if (answer) expect(answer.status(), href).toBe(200);
    const [, anchor] = href.split('#');
    if (anchor) await expect(page.locator(`[id="${anchor}"]`), href).toBeAttached();
  }
});

test('a call is tried with a key, which is kept nowhere', async ({ page, tenant }) => {
  const { secret } = await tenant.key('Try me', '--scope', 'read', '--rate-limit', '77');
  await open(page, '/docs');
  const field = page.getByLabel('API key', { exact: true });
  await expect(field).toHaveAttribute('type', 'password');
  await expect(field).toHaveAttribute('autocomplete', 'off');
  await giveKey(page, ` ${secret} `);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(field).toHaveAttribute('type', 'text');

  const described = await tryOut(page, 'Describe this key');
  const key = JSON.parse(await send(described, /^200 .*in \d+ ms$/));
  expect(key).toMatchObject({ name: 'Try me', scopes: ['read'], rate_limit: { limit: 77, remaining: 76 } });
  await expect(described).toContainText('"default";r=76;t=');
  await expectAccessible(page);

  const listed = await tryOut(page, 'List the properties');
  await listed.getByLabel('limit').fill('1');
  const first = JSON.parse(await send(listed, /^200 /));
  const properties = tenant.properties.map(({ id, name }) => ({ id, name }));
  expect(first.data).toEqual([properties[0]]);
  await listed.getByLabel('cursor').fill(first.next_cursor);
  expect(JSON.parse(await send(listed, /^200 /))).toEqual({ data: [properties[1]], next_cursor: null });

  expect(page.url()).not.toContain(secret);
  expect(await page.content()).not.toContain(secret);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(stored).not.toContain(secret);
  await page.goto('/docs/keys');
  await page.goBack();
  await expect(page.getByLabel('API key', { exact: true })).toHaveValue('');
});

test('what goes wrong is said plainly', async ({ page, tenant, complaints, context }) => {
  const { secret } = await tenant.key('Nearly there');
  await open(page, '/docs');
  const described = await tryOut(page, 'Describe this key');
  await described.getByRole('button', { name: 'Send' }).click();
  await expect(described.getByRole('status')).toContainText('There is no key to send');
  await described.getByRole('button', { name: 'Go to the field for the key' }).click();
  await expect(page.getByLabel('API key', { exact: true })).toBeFocused();

  const last = secret.at(-1) === 'x' ? 'y' : 'x';
  await giveKey(page, secret.slice(0, -1) + last);
  const problem = JSON.parse(await send(described, /^401 /));
  expect(problem).toMatchObject({ code: 'invalid_key', status: 401 });
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
  await expectAccessible(page);

  await giveKey(page, `${secret}é…`);
  await described.getByRole('button', { name: 'Send' }).click();
  await expect(described.getByRole('status')).toContainText('cannot be sent');

  await giveKey(page, secret);
  await context.setOffline(true);
  await described.getByRole('button', { name: 'Send' }).click();
  await expect(described.getByRole('status')).toContainText('The server cannot be reached');
  complaints.splice(0);
  await context.setOffline(false);
  await send(described, /^200 /);
});

test('while a call is under way it is not sent again', async ({ page, tenant }) => {
  const { secret } = await tenant.key('Once');
  let calls = 0;
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/api/v1/key', async (route) => {
    calls += 1;
    await held;
    await route.continue();
  });
  await open(page, '/docs');
  await giveKey(page, secret);
  const described = await tryOut(page, 'Describe this key');
  await described.getByRole('button', { name: 'Send' }).dblclick();
  await expect(described.getByRole('button', { name: 'Sending…' })).toHaveAttribute('aria-disabled', 'true');
  letGo();
  await expect(described.getByRole('status')).toHaveText(/^200 /);
  expect(calls).toBe(1);
});

test('a reservation is made, and once only', async ({ page, tenant, complaints }) => {
  const property = tenant.properties[0]!.id;
  const price = ['--price', '12900', '--currency', 'EUR'];
  const words = ['service', 'create', '--tenant', tenant.slug, '--property', property, '--name', 'Double room'];
  const service = await tenant.program.command([...words, '--units', '2', ...price]);
  const { secret } = await tenant.key('Front desk', '--scope', 'read', '--scope', 'write');
  await open(page, '/docs');
  await giveKey(page, secret);
  const reserve = await tryOut(page, 'Make a reservation');
  const body = reserve.getByLabel('Body', { exact: true });
  const example = JSON.parse(await body.inputValue());
  await body.fill(JSON.stringify({ ...example, property_id: property, service_id: service.id }));
  const made = JSON.parse(await send(reserve, /^201 /));
  expect(made).toMatchObject({ property_id: property, guest: { name: 'Robin Sample' }, status: 'confirmed' });

  expect(JSON.parse(await send(reserve, /^201 /)).id, 'the same idempotency key').toBe(made.id);
  await expect(reserve).toContainText('Idempotent-Replayed');
  await reserve.getByRole('button', { name: 'New' }).click();
  expect(JSON.parse(await send(reserve, /^201 /)).id, 'another').not.toBe(made.id);
  await reserve.getByRole('button', { name: 'New' }).click();
  expect(JSON.parse(await send(reserve, /^409 /))).toMatchObject({ code: 'sold_out' });
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);

  const look = await tryOut(page, 'Get a reservation');
  await look.getByLabel('reservation_id').fill(made.id);
  expect(JSON.parse(await send(look, /^200 /))).toEqual(made);
});

test('a call is tried without a pointer', async ({ page, tenant }) => {
  const { secret } = await tenant.key('By keyboard');
  await open(page, '/docs');
  const tabTo = async (target: Locator) => {
    for (let presses = 0; presses < 120; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab never reached ${target}`);
  };
  await tabTo(page.getByLabel('API key', { exact: true }));
  await page.keyboard.type(secret);
  const article = call(page, 'Describe this key');
  await tabTo(article.getByText('Try it', { exact: true }));
  await page.keyboard.press('Enter');
  await tabTo(article.getByRole('button', { name: 'Send' }));
  await page.keyboard.press('Enter');
  await expect(article.getByRole('status')).toHaveText(/^200 /);
  await tabTo(article.getByRole('group', { name: 'The answer’s body' }));
});

test('the type of a problem leads to its row', async ({ page, complaints }) => {
  await page.goto('/problems/rate_limited');
  await expect(page).toHaveURL(/\/docs#problem-rate_limited$/);
  const target = page.locator('tr:target');
  await expect(target).toContainText('429');
  await expect(target).toBeInViewport();
  expect((await page.request.get('/problems/nonsense')).status()).toBe(404);
  await page.goto('/problems/nonsense');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('404')]);
});

test('the console leads to the documentation', async ({ admin }) => {
  await admin.getByRole('link', { name: 'API reference' }).click();
  await expect(admin.getByRole('heading', { level: 1, name: 'API reference' })).toBeVisible();
  await admin.getByRole('link', { name: 'Console' }).click();
  await expect(admin).toHaveURL(/tenant-api-keys$/);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });

  for (const path of pages) {
    test(`${path} fits`, async ({ page }) => {
      await open(page, path);
      await expectNoSidewaysScroll(page);
      const contents = page.getByRole('main').getByText('On this page');
      await contents.tap();
      await expect(page.getByRole('main').locator('.docs-jump a').first()).toBeVisible();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });
  }

  test('the answer to a call fits', async ({ page, tenant }) => {
    const { secret } = await tenant.key('Phone');
    await open(page, '/docs');
    await giveKey(page, secret);
    await send(await tryOut(page, 'Describe this key'), /^200 /);
    await expectNoSidewaysScroll(page);
  });
});
