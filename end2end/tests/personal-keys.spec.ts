import type { Locator, Page } from '@playwright/test';
import { type Tenant, expect, expectAccessible, open, row, signIn, test } from './support/test';

const profile = '/user-profile';

/** A member in a group that grants these, signed in. */
async function asMember(page: Page, tenant: Tenant, ...permissions: string[]): Promise<void> {
  const mei = await tenant.person('Mei', 'member');
  if (permissions.length > 0) {
    const grants = permissions.flatMap((permission) => ['--permission', permission]);
    const group = ['group', 'create', '--tenant', tenant.slug, '--name', 'Front desk', '--type', 'person'];
    await tenant.program.command([...group, ...grants]);
    await tenant.program.command(['person', 'set-role', mei, '--role', 'member', '--group', 'Front desk']);
  }
  await signIn(page, tenant.email('Mei'));
  await open(page, profile);
}

function section(page: Page): Locator {
  return page.getByRole('region', { name: 'API Keys' });
}

/** Creates a key on the form and answers its secret. */
async function create(page: Page, name: string, fill = async () => {}): Promise<string> {
  await section(page).getByRole('link', { name: 'Create new API Key' }).click();
  await page.getByLabel('Key name').fill(name);
  await fill();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Copy the secret of “${name}” now` });
  const secret = (await dialog.getByLabel('Secret', { exact: true }).textContent())!;
  expect(secret).toMatch(/^lk_pk_[0-9A-Za-z]{49}$/);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page).toHaveURL(new RegExp(`${profile}$`));
  await expect(page.getByText(`Created “${name}”.`)).toBeVisible();
  return secret;
}

async function choose(page: Page, action: string, name: string): Promise<Locator> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('button', { name: action, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  return dialog;
}

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
});

test('a member creates a key that does what they can do', async ({ page, tenant, program }) => {
  await asMember(page, tenant, 'reservations:*', 'properties:read');
  await expect(section(page)).toContainText('You have no keys yet');
  await expectAccessible(page);
  const secret = await create(page, 'Arrivals board', async () => {
    await expect(page.getByText('Everything that you may do yourself')).toBeVisible();
    await expect(page.locator('#scopes-left')).toContainText('reservations:read');
    await page.getByRole('checkbox', { name: 'Access to all properties' }).uncheck();
    await page.getByRole('checkbox', { name: 'Old Town' }).check();
    await expectAccessible(page);
  });
  await expect(row(page, 'Arrivals board')).toContainText('1 property');
  await expect(section(page)).toContainText('1/10 keys');
  await expectAccessible(page);
  const call = (path: string) => fetch(`${program.url}${path}`, { headers: { 'user-api-key': secret } });
  const properties = (await (await call('/api/v1/properties')).json()) as { data: { name: string }[] };
  expect(properties.data.map(({ name }) => name)).toEqual(['Old Town']);
  expect((await call('/api/v1/services?property_id=' + tenant.properties[1]!.id)).status).toBe(403);
});

test('a key is withdrawn from its menu and stays listed', async ({ page, tenant, program }) => {
  await asMember(page, tenant, '*');
  const secret = await create(page, 'Script');
  const status = async () =>
    (await fetch(`${program.url}/api/v1/properties`, { headers: { 'x-api-key': secret } })).status;
  expect(await status()).toBe(200);
  const dialog = await choose(page, 'Withdraw', 'Script');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'Actions for Script' })).toBeFocused();
  await (await choose(page, 'Withdraw', 'Script')).getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByText('Withdrew “Script”.')).toBeVisible();
  await expect(row(page, 'Script')).toContainText('Withdrawn');
  await expect(section(page)).toContainText('0/10 keys');
  expect(await status()).toBe(401);
});

test('a key is edited, rotated and looked at', async ({ page, tenant }) => {
  await asMember(page, tenant, '*');
  await create(page, 'Script');
  const dialog = await choose(page, 'Edit', 'Script');
  await expect(dialog.getByText('Everything that you may do yourself')).toBeVisible();
  await dialog.getByLabel('Key name').fill('Better script');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, 'Better script')).toBeVisible();
  await (await choose(page, 'Rotate', 'Better script')).getByRole('button', { name: 'Rotate' }).click();
  const again = page.getByRole('dialog', { name: /Copy the secret/ });
  await again.getByRole('button', { name: 'Copy' }).click();
  await again.getByRole('button', { name: 'Done' }).click();
  await row(page, 'Better script').getByRole('link', { name: 'Better script' }).click();
  await expect(page.getByRole('heading', { name: 'Better script' })).toBeVisible();
  await expect(page.getByText('As its owner')).toBeVisible();
  await expectAccessible(page);
});

test('the menu is used with the keyboard alone', async ({ page, tenant }) => {
  await asMember(page, tenant, '*');
  await create(page, 'Script');
  const menu = page.getByRole('button', { name: 'Actions for Script' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Edit', exact: true })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(menu).toBeFocused();
  await page.keyboard.press('Enter');
  for (let steps = 0; steps < 3; steps += 1) await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Withdraw', exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Withdraw “Script”?' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(menu).toBeFocused();
});

test('an admin sees what people have, withdraws it, and can do no more', async ({ page, browser, tenant }) => {
  const theirs = await (await browser.newContext({ baseURL: tenant.program.url })).newPage();
  await theirs.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await asMember(theirs, tenant, '*');
  await create(theirs, 'Script');
  await signIn(page, tenant.email('Ana'));
  await page.getByRole('link', { name: 'Personal', exact: true }).click();
  await expect(row(page, 'Script')).toContainText('Mei');
  await expect(row(page, 'Script').getByRole('button')).toHaveCount(1);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Script' }).click();
  await expect(page.getByRole('heading', { name: 'Script' })).toBeVisible();
  await page.getByRole('button', { name: 'Withdraw Script' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByText('Withdrew “Script”.')).toBeVisible();
  await theirs.reload();
  await expect(row(theirs, 'Script')).toContainText('Withdrawn');
  await theirs.context().close();
});

test('without a subscription the profile says why and what to do', async ({ page, tenant, program }) => {
  await asMember(page, tenant, '*');
  await expect(page.getByRole('link', { name: 'Personal API keys' })).toBeVisible();
  await program.command(['tenant', 'set', '--slug', tenant.slug, '--api-keys', 'off']);
  await open(page, profile);
  await expect(section(page)).toContainText('subscription does not include API keys');
  await expect(section(page)).toContainText('Ask Ana');
  await expect(page.getByRole('link', { name: 'Personal API keys' })).toBeHidden();
  await expect(page.getByRole('link', { name: 'Create new API Key' })).toBeHidden();
  await expectAccessible(page);
  await program.command(['tenant', 'set', '--slug', tenant.slug, '--api-keys', 'on']);
  await page.reload();
  await expect(page.getByRole('link', { name: 'Create new API Key' })).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the keys are cards and the menu opens', async ({ page, tenant }) => {
    await asMember(page, tenant, '*');
    await create(page, 'Script with a rather long name');
    const content = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(content).toBeLessThanOrEqual(page.viewportSize()!.width);
    await page.getByRole('button', { name: /Actions for Script/ }).tap();
    const item = page.getByRole('button', { name: 'Withdraw', exact: true });
    const box = (await item.boundingBox())!;
    expect(box.x + box.width).toBeLessThanOrEqual(page.viewportSize()!.width);
    await expectAccessible(page);
    await item.tap();
    await expect(page.getByRole('dialog')).toBeVisible();
  });
});
