import type { Locator, Page } from '@playwright/test';
import { Authenticator } from './support/authenticator';
import { type Tenant, alive, expect, expectAccessible, open, password, signIn, test, watch } from './support/test';

/** Signs a new person in. Super users belong to no tenant. */
async function enter(page: Page, tenant: Tenant, role: string): Promise<string> {
  const name = 'Kim';
  if (role === 'super-user') {
    const email = `kim.${tenant.slug}@example.test`;
    const words = ['person', 'create', '--email', email, '--name', name, '--role', role, '--password-stdin'];
    await tenant.program.command(words, password);
    await signIn(page, email);
    return email;
  }
  await tenant.person(name, role);
  await signIn(page, tenant.email(name));
  return tenant.email(name);
}

async function fillIn(page: Page, email: string): Promise<void> {
  await open(page, '/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByLabel('Code', { exact: true })).toBeFocused();
}

/** Sets a second factor up. Answers the app and the recovery codes. */
async function setUp(page: Page): Promise<[Authenticator, string[]]> {
  await open(page, '/security');
  await page.getByRole('link', { name: 'Set up' }).click();
  await alive(page);
  const app = new Authenticator(await page.getByLabel('type this key').innerText());
  await page.getByLabel('Code', { exact: true }).fill(app.code());
  await page.getByLabel('Code', { exact: true }).press('Enter');
  const codes = await readCodes(page);
  await expect(page).toHaveURL(/\/security$/);
  return [app, codes];
}

/** Reads the recovery codes that are shown this once, and lets them go. */
async function readCodes(page: Page): Promise<string[]> {
  const dialog = page.getByRole('dialog', { name: 'Copy your recovery codes' });
  const codes = (await dialog.getByLabel('Recovery codes').innerText()).split('\n');
  expect(codes).toHaveLength(10);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.getByRole('button', { name: 'Close without copying' }).click();
  await expect(dialog).toHaveCount(0);
  return codes;
}

function factor(page: Page): Locator {
  return page.getByRole('region', { name: 'Second factor' });
}

/** The browser itself reports that calls were answered with these. */
function expectReported(complaints: string[], ...statuses: number[]): void {
  expect(complaints.splice(0)).toEqual(statuses.map((status) => expect.stringContaining(String(status))));
}

for (const role of ['member', 'tenant-admin', 'super-user']) {
  test(`a ${role} sets a second factor up`, async ({ page, tenant }) => {
    const email = await enter(page, tenant, role);
    await open(page, '/security');
    await expect(factor(page)).toContainText('Off');
    await expectAccessible(page);
    await open(page, '/security/second-factor');
    const qr = page.getByRole('img', { name: `QR code for the account ${email}` });
    await expect(qr).toBeVisible();
    expect((await qr.boundingBox())!.width).toBeGreaterThan(150);
    await expect(page.getByLabel('type this key')).toHaveText(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    await expectAccessible(page);
    const [, codes] = await setUp(page);
    await expect(page.getByRole('status').filter({ hasText: 'Your second factor is on.' })).toBeVisible();
    await expect(factor(page)).toContainText('You have 10 recovery codes left.');
    expect(await page.content()).not.toContain(codes[0]);
    await page.goto('/security/second-factor');
    await expect(page).toHaveURL(/\/security$/);
  });

  test(`a ${role} signs in with a code, or with a recovery code`, async ({ page, tenant, complaints }) => {
    const email = await enter(page, tenant, role);
    const [app, codes] = await setUp(page);
    await page.context().clearCookies();
    await fillIn(page, email);
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await page.getByLabel('Code', { exact: true }).press('Enter');
    await expect(page.getByRole('alert').filter({ hasText: 'This code is wrong' })).toBeVisible();
    await expect(page.getByLabel('Password')).toHaveValue(password);
    await expect(page.getByLabel('Code', { exact: true })).toBeFocused();
    await expectAccessible(page);
    // The present code may be the one that set it up; the next one is good already.
    await page.keyboard.type(app.code(1));
    await page.keyboard.press('Enter');
    await expect(page).not.toHaveURL(/sign-in/);
    expectReported(complaints, 401, 422);
    await page.context().clearCookies();
    await fillIn(page, email);
    await page.getByLabel('Code', { exact: true }).fill(codes[0]!.toUpperCase());
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).not.toHaveURL(/sign-in/);
    expectReported(complaints, 401);
    await open(page, '/security');
    await expect(factor(page)).toContainText('You have 9 recovery codes left.');
  });

  test(`a ${role} turns the second factor off`, async ({ page, tenant }) => {
    const email = await enter(page, tenant, role);
    await setUp(page);
    await factor(page).getByRole('button', { name: 'Turn off' }).click();
    const dialog = page.getByRole('dialog');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Turn off' }).click();
    await expect(factor(page)).toContainText('Off');
    await page.context().clearCookies();
    await signIn(page, email);
  });
}

test('new recovery codes end the old ones, and few are warned of', async ({ page, tenant }) => {
  await enter(page, tenant, 'member');
  const [, old] = await setUp(page);
  for (const code of old.slice(0, 9)) {
    const form = { email: tenant.email('Kim'), password, code, next: '/' };
    const answer = await page.request.post('/console/sign_in', { headers: { 'sec-fetch-site': 'same-origin' }, form });
    expect(answer.ok()).toBe(true);
  }
  await open(page, '/security');
  await expect(factor(page)).toContainText('You have 1 recovery code left. Make new ones');
  await expectAccessible(page);
  await factor(page).getByRole('button', { name: 'Make new recovery codes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make new codes' }).click();
  await expect(page.getByRole('dialog', { name: 'Copy your recovery codes' })).toBeVisible();
  await expectAccessible(page);
  const codes = await readCodes(page);
  expect(codes).not.toContain(old[9]);
  await expect(factor(page)).toContainText('You have 10 recovery codes left.');
});

test('a person without the required second factor can only set one up', async ({ page, tenant }) => {
  await enter(page, tenant, 'tenant-admin');
  await open(page, '/people');
  const requirement = page.getByRole('region', { name: 'Second factor' });
  await expect(requirement).toContainText('None of the 2 people has one yet.');
  await requirement.getByRole('button', { name: 'Require a second factor for everyone' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Require it' }).click();
  await expect(page.getByText('From now on, everyone needs a second factor.')).toBeVisible();
  for (const path of ['/', '/tenant-api-keys', '/tenant-api-keys/new']) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/security$/);
  }
  await expect(page.getByText('requires a second factor.')).toBeVisible();
  await expect(page.getByText('Until you have set yours up')).toBeVisible();
  await expectAccessible(page);
  await setUp(page);
  await expect(page.getByText('Until you have set yours up')).toHaveCount(0);
  await expect(factor(page).getByRole('button', { name: 'Turn off' })).toHaveCount(0);
  await expect(factor(page)).toContainText('so it cannot be turned off');
  await expectAccessible(page);
  await open(page, '/tenant-api-keys');
  await expect(page.getByRole('heading', { level: 1, name: 'API Keys' })).toBeVisible();

  await open(page, '/people');
  await expect(requirement).toContainText('1 of 2 people has none yet.');
  await requirement.getByRole('button', { name: 'Leave it to each person' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave it to them' }).click();
  await expect(page.getByText('A second factor is left to each person now.')).toBeVisible();
  await open(page, '/security');
  await expect(factor(page).getByRole('button', { name: 'Turn off' })).toBeVisible();
});

for (const role of ['member', 'tenant-admin', 'super-user']) {
  test(`a ${role} changes the password, which ends the other sessions`, async ({ page, tenant, complaints, browser }) => {
    const email = await enter(page, tenant, role);
    const elsewhere = await (await browser.newContext({ baseURL: tenant.program.url })).newPage();
    watch(elsewhere, complaints);
    await signIn(elsewhere, email);
    await open(page, '/security');
    const form = page.getByRole('region', { name: 'Password' });
    await expect(form).toContainText('At least 12 characters');
    await form.getByLabel('Current password').fill('a wrong password');
    await form.getByLabel('New password').fill('another long password');
    await form.getByRole('button', { name: 'Change password' }).click();
    await expect(form).toContainText('This is not your current password.');
    await expect(form.getByLabel('Current password')).toBeFocused();
    await expectAccessible(page);
    await form.getByLabel('Current password').fill(password);
    await form.getByLabel('New password').fill('too short');
    await form.getByLabel('New password').press('Enter');
    await expect(form).toContainText('Use at least 12 characters.');
    expectReported(complaints, 422, 422);
    await form.getByLabel('New password').fill('another long password');
    await form.getByLabel('New password').press('Enter');
    await expect(page.getByText('Your password is changed, and your other sessions have ended.')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Where you are signed in' }).getByRole('row')).toHaveCount(2);
    await elsewhere.goto('/security');
    await expect(elsewhere).toHaveURL(/sign-in/);
    await elsewhere.context().close();
  });

  test(`a ${role} sees both sessions and signs out everywhere`, async ({ page, tenant, complaints, browser }) => {
    const email = await enter(page, tenant, role);
    const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
    const context = await browser.newContext({ baseURL: tenant.program.url, userAgent: firefox });
    const elsewhere = await context.newPage();
    watch(elsewhere, complaints);
    await signIn(elsewhere, email);
    await open(page, '/security');
    const sessions = page.getByRole('region', { name: 'Where you are signed in' });
    await expect(sessions.getByRole('row', { name: 'Firefox on Windows' })).toContainText('127.0.0.1');
    await expect(sessions.getByRole('row', { name: 'This one' })).toHaveCount(1);
    await expect(sessions.getByRole('row', { name: 'This one' })).toContainText('Chrome');
    await sessions.getByRole('button', { name: 'Sign out everywhere' }).click();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await expect(page).toHaveURL(/\/sign-in$/);
    await expect(page.getByText('You are signed out everywhere.')).toBeVisible();
    expect(await page.context().cookies()).toEqual([]);
    await elsewhere.goto('/security');
    await expect(elsewhere).toHaveURL(/sign-in/);
    await context.close();
  });
}

test('without scripts, the code is sent along', async ({ page, tenant, browser }) => {
  await enter(page, tenant, 'member');
  const [, codes] = await setUp(page);
  const context = await browser.newContext({ baseURL: tenant.program.url, javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto('/sign-in');
  await plain.getByLabel('E-mail').fill(tenant.email('Kim'));
  await plain.getByLabel('Password').fill(password);
  await plain.getByLabel('Code of your second factor').fill(codes[0]!);
  await plain.getByLabel('Password').press('Enter');
  await expect(plain).not.toHaveURL(/sign-in/);
  await context.close();
});

test('by keyboard alone', async ({ page, tenant }) => {
  await enter(page, tenant, 'member');
  await open(page, '/security');
  const tabTo = async (target: Locator) => {
    for (let presses = 0; presses < 60; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab never reached ${target}`);
  };
  await tabTo(page.getByRole('link', { name: 'Set up' }));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/second-factor$/);
  await alive(page);
  const app = new Authenticator(await page.getByLabel('type this key').innerText());
  await tabTo(page.getByLabel('Code', { exact: true }));
  await page.keyboard.type(app.code());
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Copy' })).toBeFocused();
  await tabTo(page.getByRole('button', { name: 'Done' }));
  await page.keyboard.press('Enter');
  await tabTo(page.getByRole('button', { name: 'Close without copying' }));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/security$/);
  await alive(page);
  await tabTo(page.getByRole('button', { name: 'Turn off' }));
  await page.keyboard.press('Enter');
  await tabTo(page.getByRole('dialog').getByRole('button', { name: 'Turn off' }));
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Turn off' })).toBeFocused();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  async function expectFits(page: Page): Promise<void> {
    const content = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(content, 'the page is wider than the phone').toBeLessThanOrEqual(360);
    await expectAccessible(page);
  }

  for (const path of ['/security', '/security/second-factor', '/user-profile']) {
    test(`${path} fits`, async ({ page, tenant }) => {
      await enter(page, tenant, 'member');
      await open(page, path);
      await expectFits(page);
    });
  }

  test('the second factor fits when it is on', async ({ page, tenant }) => {
    await enter(page, tenant, 'member');
    await setUp(page);
    await alive(page);
    await expectFits(page);
  });
});
