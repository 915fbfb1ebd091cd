import type { Page } from '@playwright/test';
import { Authenticator } from './support/authenticator';
import { psql, testOnPostgres } from './support/postgres';
import { alive, expect, expectAccessible, open, password, signIn } from './support/test';

const test = testOnPostgres('step_up', ['--super-user-mfa', 'required']);

test.describe.configure({ mode: 'serial' });

/** Makes all sessions an hour older, so that their people have to confirm their identity. */
async function ageSessions(databaseUrl: string): Promise<void> {
  const hour = "interval '1 hour'";
  await psql(databaseUrl, `UPDATE session SET created_at = created_at - ${hour}, confirmed_at = confirmed_at - ${hour}`);
}

function confirmDialog(page: Page) {
  return page.getByRole('dialog', { name: 'Confirm that it is you' });
}

/** Opens the form that invites a person, and fills it in. */
async function fillInvitation(page: Page): Promise<void> {
  await open(page, '/people/new');
  await page.getByLabel('E-mail').fill('zoe@example.test');
  await page.getByLabel('Name').fill('Zoe');
  await page.getByRole('radio', { name: 'Admin' }).check();
}

test('a change that takes the password again is made once it was confirmed', async ({ admin, complaints, databaseUrl }) => {
  await fillInvitation(admin);
  await ageSessions(databaseUrl);
  await admin.getByRole('button', { name: 'Invite' }).click();
  const dialog = confirmDialog(admin);
  await expect(dialog.getByLabel('Password')).toBeFocused();
  await expect(dialog.getByLabel('Code')).toHaveCount(0);
  await expectAccessible(admin);
  await dialog.getByLabel('Password').fill('a wrong password');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(dialog.getByText('This is not your current password.')).toBeVisible();
  await expect(dialog.getByLabel('Password')).toBeFocused();
  await expectAccessible(admin);
  await dialog.getByLabel('Password').fill(password);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(admin.getByRole('dialog', { name: 'Invited Zoe' })).toBeVisible();
  await expect(dialog).toHaveCount(0);
  // The browser itself reports the refusals.
  expect(complaints.splice(0)).toEqual([expect.stringContaining('403'), expect.stringContaining('422')]);
});

test('cancelling leads back to the form as it was', async ({ admin, complaints, databaseUrl }) => {
  await fillInvitation(admin);
  await ageSessions(databaseUrl);
  await admin.getByRole('button', { name: 'Invite' }).click();
  await expect(confirmDialog(admin)).toBeVisible();
  await admin.keyboard.press('Escape');
  await expect(confirmDialog(admin)).toHaveCount(0);
  await expect(admin.getByLabel('E-mail')).toHaveValue('zoe@example.test');
  await expect(admin.getByRole('radio', { name: 'Admin' })).toBeChecked();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);
});

test('by keyboard alone, from a dialog and with a code', async ({ page, tenant, complaints, databaseUrl }) => {
  await tenant.person('Kim', 'member');
  await signIn(page, tenant.email('Kim'));
  await ageSessions(databaseUrl);
  await open(page, '/security/second-factor');
  await expect(page.getByLabel('type this key'), 'the secret is not shown before').toHaveCount(0);
  await expectAccessible(page);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await expect(page.getByText('You can set up your second factor now.')).toBeVisible();
  await alive(page);
  const key = await page.getByLabel('type this key').innerText();
  await page.reload();
  await alive(page);
  await expect(page.getByLabel('type this key'), 'the same offer').toHaveText(key);
  const app = new Authenticator(key);
  await page.getByLabel('Code', { exact: true }).fill(app.code());
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Close without copying' }).click();
  await expect(page).toHaveURL(/\/security$/);
  await alive(page);

  await ageSessions(databaseUrl);
  await page.getByRole('button', { name: 'Turn off' }).focus();
  await page.keyboard.press('Enter');
  const turnOff = page.getByRole('dialog', { name: 'Turn off the second factor' });
  await turnOff.getByRole('button', { name: 'Turn off' }).focus();
  await page.keyboard.press('Enter');
  await expect(confirmDialog(page).getByLabel('Password')).toBeFocused();
  await expect(turnOff).toBeHidden();
  await expectAccessible(page);
  await page.keyboard.type(password);
  await page.keyboard.press('Tab');
  await page.keyboard.type(app.code(1));
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your second factor is off.')).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);
});

test('a super user sets up a second factor before anything else', async ({ page, program }) => {
  const email = 'root@step-up.test';
  const words = ['person', 'create', '--email', email, '--name', 'Root', '--role', 'super-user', '--password-stdin'];
  await program.command(words, password);
  await signIn(page, email);
  await page.goto('/tenants');
  await expect(page).toHaveURL(/\/security$/);
  await expect(page.getByText('This installation requires super users to have a second factor.')).toBeVisible();
  await expectAccessible(page);
  await alive(page);
  await page.getByRole('link', { name: 'Set up' }).click();
  await alive(page);
  const app = new Authenticator(await page.getByLabel('type this key').innerText());
  await page.getByLabel('Code', { exact: true }).fill(app.code());
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Close without copying' }).click();
  await expect(page).toHaveURL(/\/security$/);
  await expect(page.getByRole('button', { name: 'Turn off' })).toHaveCount(0);
  await open(page, '/tenants');
  await expect(page.getByRole('heading', { level: 1, name: 'Tenants' })).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('the dialog fits', async ({ admin, complaints, databaseUrl }) => {
    await fillInvitation(admin);
    await ageSessions(databaseUrl);
    await admin.getByRole('button', { name: 'Invite' }).click();
    await expect(confirmDialog(admin)).toBeVisible();
    const content = await admin.evaluate(() => document.documentElement.scrollWidth);
    expect(content).toBeLessThanOrEqual(360);
    await expectAccessible(admin);
    expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);
  });
});
