import type { Browser, Page } from '@playwright/test';
import { Authenticator } from './support/authenticator';
import { type Tenant, alive, expect, expectAccessible, open, password, row, signIn, test, watch } from './support/test';

/** Another person, in their own browser. */
async function another(browser: Browser, tenant: Tenant, complaints: string[]): Promise<Page> {
  const page = await (await browser.newContext({ baseURL: tenant.program.url })).newPage();
  watch(page, complaints);
  return page;
}

async function openPerson(page: Page, name: string): Promise<void> {
  await open(page, '/people');
  await page.getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await alive(page);
}

/** Presses a button of a person's page and the one of the dialog that it opens, once that was looked at. */
async function confirm(page: Page, verb: string, told: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: verb }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(told);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: verb }).click();
}

async function copyLink(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('good once, for 7 days');
  await expectAccessible(page);
  const link = await dialog.getByLabel('Invitation link').innerText();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  return link;
}

async function choosePassword(page: Page, link: string, chosen: string): Promise<void> {
  await open(page, link);
  await page.getByLabel('New password').fill(chosen);
  await page.getByRole('button', { name: /^Set password/ }).click();
}

test('an admin invites a person, who chooses a password and signs in', async ({ admin, tenant, browser, complaints }) => {
  const group = ['group', 'create', '--tenant', tenant.slug, '--name', 'Front desk', '--type', 'person'];
  await tenant.program.command([...group, '--permission', 'reservations:*']);
  await admin.getByRole('link', { name: 'People' }).click();
  await alive(admin);
  await admin.getByRole('link', { name: 'Invite a person' }).click();
  await alive(admin);
  await expectAccessible(admin);
  await admin.getByRole('button', { name: 'Invite' }).click();
  await expect(admin.getByLabel('E-mail')).toHaveAccessibleDescription(/Enter an e-mail address\.$/);
  await expect(admin.getByLabel('Name')).toBeFocused();
  await expectAccessible(admin);
  await admin.getByLabel('Name').fill('Zoe');
  await admin.getByLabel('E-mail').fill(tenant.email('Zoe'));
  await admin.getByRole('checkbox', { name: 'Front desk' }).check();
  await admin.getByRole('button', { name: 'Invite' }).click();
  const link = await copyLink(admin);
  expect(link).toMatch(new RegExp(`^${tenant.program.url}/invitation/[0-9a-f]{64}$`));
  await expect(admin.getByText('Invited Zoe.')).toBeVisible();
  await expect(row(admin, 'Zoe')).toContainText(/Member.*Invited.*Front desk.*No.*Not lately/s);
  expect(await admin.content(), 'the link is gone').not.toContain(link.slice(-64));
  await expectAccessible(admin);

  const zoe = await another(browser, tenant, complaints);
  await open(zoe, link);
  await expect(zoe.getByRole('heading', { name: `Join Hotels of ${tenant.slug}` })).toBeVisible();
  await expect(zoe.getByLabel('E-mail')).toHaveValue(tenant.email('Zoe'));
  await expect(zoe.getByLabel('New password')).toHaveAttribute('autocomplete', 'new-password');
  await expect(zoe.getByLabel('New password')).toHaveAccessibleDescription(/At least 12 characters/);
  await expectAccessible(zoe);
  await zoe.getByLabel('New password').fill('too short');
  await zoe.getByLabel('New password').press('Enter');
  await expect(zoe.getByLabel('New password')).toHaveAccessibleDescription(/Use at least 12 characters/);
  await zoe.getByLabel('New password').fill(password);
  await zoe.getByLabel('New password').press('Enter');
  await expect(zoe.getByRole('heading', { name: 'You are signed in' })).toBeVisible();
  await expect(zoe.getByText('Your password is set, and you are signed in.')).toBeVisible();
  await expect(zoe.getByRole('link', { name: 'Ana' })).toHaveAttribute('href', `mailto:${tenant.email('Ana')}`);
  await expectAccessible(zoe);
  await zoe.goto(link);
  await expect(zoe.getByRole('heading', { name: 'This link is not good any more' })).toBeVisible();
  await expectAccessible(zoe);
  await open(admin, '/people');
  await expect(row(admin, 'Zoe')).toContainText(/Active.*just now/s);
  expect(complaints.splice(0).map((line) => /\d{3}/.exec(line)?.[0])).toEqual(['422', '422', '404']);
  expect(tenant.program.log).not.toContain(link.slice(-50));
});

test('without a group for people, the form says where to make one', async ({ admin }) => {
  await open(admin, '/people/new');
  await expect(admin.getByText('There is no group for people yet')).toBeVisible();
  await admin.getByRole('link', { name: 'Make a group for people' }).click();
  await expect(admin).toHaveURL(/authorization-groups/);
});

test('a role holds from the next click', async ({ admin, tenant, browser, complaints }) => {
  await tenant.person('Mia', 'member');
  const mia = await another(browser, tenant, complaints);
  await signIn(mia, tenant.email('Mia'));
  await openPerson(admin, 'Mia');
  await expectAccessible(admin);
  await expect(admin.getByRole('region', { name: 'Where they are signed in' })).toContainText('Chrome on Linux');
  await admin.getByRole('radio', { name: 'Admin' }).check();
  await admin.getByRole('button', { name: 'Save' }).click();
  await expect(admin.getByText('Saved. It holds for Mia from now on.')).toBeVisible();
  await open(mia, '/people');
  await expect(mia.getByRole('heading', { level: 1, name: 'People' })).toBeVisible();
});

test('a deactivated person is signed out immediately; a reactivated one can sign in', async ({ admin, tenant, browser, complaints }) => {
  await tenant.person('Mia', 'member');
  const mia = await another(browser, tenant, complaints);
  await signIn(mia, tenant.email('Mia'));
  await openPerson(admin, 'Mia');
  await confirm(admin, 'Switch off', /signed out everywhere immediately.*no personal API key/);
  await expect(admin.getByText('Mia is switched off.')).toBeVisible();
  await expect(admin.getByText('They are switched off: they can neither sign in')).toBeVisible();
  await expect(admin.getByRole('button', { name: 'Switch off' })).toHaveCount(0);
  await expectAccessible(admin);
  await mia.goto('/');
  await expect(mia).toHaveURL(/sign-in/);
  await confirm(admin, 'Switch on', 'Mia can sign in again');
  await expect(admin.getByText('Mia is switched on again.')).toBeVisible();
  await signIn(mia, tenant.email('Mia'));
  await openPerson(admin, 'Mia');
  await confirm(admin, 'Sign out everywhere', 'They can sign in again');
  await expect(admin.getByText('Mia is signed out everywhere.')).toBeVisible();
  await expect(admin.getByText('Nowhere at the moment.')).toBeVisible();
});

test('a new link sets another password; a second factor stays until it is reset', async ({ admin, tenant, browser, complaints }) => {
  await tenant.person('Mia', 'member');
  const mia = await another(browser, tenant, complaints);
  await signIn(mia, tenant.email('Mia'));
  await open(mia, '/security/second-factor');
  const secret = await mia.getByLabel('type this key').innerText();
  await mia.getByLabel('Code', { exact: true }).fill(new Authenticator(secret).code());
  await mia.getByLabel('Code', { exact: true }).press('Enter');
  await expect(mia.getByRole('dialog')).toBeVisible();

  await openPerson(admin, 'Mia');
  await confirm(admin, 'Make a new link', 'Their second factor stays.');
  const link = await copyLink(admin);
  await expect(admin.getByText('Made a new link for Mia.')).toBeVisible();
  await choosePassword(mia, link, 'another long password');
  await expect(mia).toHaveURL(/\/sign-in$/);
  await expect(mia.getByText('Sign in with it and a code of your second factor.')).toBeVisible();

  await confirm(admin, 'Reset second factor', 'their password alone is enough');
  await expect(admin.getByText('Mia has no second factor any more.')).toBeVisible();
  await mia.getByLabel('E-mail').fill(tenant.email('Mia'));
  await mia.getByLabel('Password').fill('another long password');
  await mia.getByLabel('Password').press('Enter');
  await expect(mia.getByRole('heading', { name: 'You are signed in' })).toBeVisible();
});

test('the last admin cannot be demoted or switched off, and the page says why', async ({ admin, tenant }) => {
  await openPerson(admin, 'Ana');
  await expect(admin.getByText('Ana is the only admin who can sign in')).toBeVisible();
  await expect(admin.getByText('This is you.')).toBeVisible();
  await expect(admin.getByRole('main').getByRole('button')).toHaveCount(0);
  await expectAccessible(admin);
  await tenant.person('Ben', 'tenant-admin');
  await openPerson(admin, 'Ana');
  await expect(admin.getByText('Only another admin can change your role.')).toBeVisible();
  await openPerson(admin, 'Ben');
  await expect(admin.getByRole('button', { name: 'Switch off' })).toBeVisible();
});

test('a required second factor: people without one are counted and led to enrollment', async ({ admin, tenant }) => {
  await tenant.person('Mia', 'member');
  await open(admin, '/people');
  const panel = admin.getByRole('region', { name: 'Second factor' });
  await expect(panel).toContainText('None of the 2 people has one yet.');
  await admin.getByRole('button', { name: 'Require a second factor for everyone' }).click();
  const dialog = admin.getByRole('dialog');
  await expect(dialog).toContainText('None of the 2 people has one yet. You are one of them');
  await expect(dialog).toContainText('Basic and JWT');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Require it' }).click();
  await expect(admin).toHaveURL(/\/security$/);
  await expect(admin.getByText('requires a second factor')).toBeVisible();
});

test('a person is invited by keyboard', async ({ admin, tenant }) => {
  await open(admin, '/people/new');
  await admin.getByLabel('Name').focus();
  await admin.keyboard.type('Zoe');
  await admin.keyboard.press('Tab');
  await admin.keyboard.type(tenant.email('Zoe'));
  await admin.keyboard.press('Tab');
  await expect(admin.getByRole('radio', { name: 'Member' })).toBeFocused();
  await admin.keyboard.press('ArrowDown');
  await expect(admin.getByRole('radio', { name: 'Admin' })).toBeChecked();
  await admin.keyboard.press('Enter');
  await expect(admin.getByRole('button', { name: 'Copy' })).toBeFocused();
  await admin.keyboard.press('Escape');
  await expect(admin.getByRole('alert').filter({ hasText: 'You have not copied' })).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the pages fit', async ({ admin, tenant, browser, complaints }) => {
    await tenant.person('Mia', 'member');
    const words = ['person', 'invite', '--tenant', tenant.slug, '--email', `${'z'.repeat(60)}@example.test`];
    const { id, link } = await tenant.program.command([...words, '--name', 'Z'.repeat(90)]);
    const stranger = await another(browser, tenant, complaints);
    for (const [page, path] of [
      [admin, '/people'],
      [admin, '/people/new'],
      [admin, `/people/${id}`],
      [stranger, link],
      [stranger, '/invitation/never'],
    ] as const) {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(path);
      const content = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(content, `${path} is wider than the phone`).toBeLessThanOrEqual(360);
      await expectAccessible(page);
    }
    expect(complaints.splice(0)).toEqual([expect.stringContaining('404')]);
  });
});
