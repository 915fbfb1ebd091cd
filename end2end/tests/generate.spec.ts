import type { Locator, Page } from '@playwright/test';
import { Tenant, alive, expect, expectAccessible, open, row, signIn, test } from './support/test';

const form = '/tenant-api-keys/new';

async function fillIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Key name').fill(name);
  await page.getByRole('radio', { name: 'Full access' }).check();
}

async function secretIn(page: Page): Promise<{ dialog: Locator; secret: string }> {
  const dialog = page.getByRole('dialog', { name: /Copy the secret of/ });
  await expect(dialog).toBeVisible();
  const secret = (await dialog.getByLabel('Secret', { exact: true }).textContent())!;
  expect(secret).toMatch(/^lk_tk_[0-9A-Za-z]{49}$/);
  return { dialog, secret };
}

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
});

test('a key is generated with everything that can be said of it', async ({ admin, tenant }) => {
  await open(admin, form);
  await expectAccessible(admin);
  await fillIn(admin, '  Front desk 👩🏽‍💻  ');
  await admin.getByLabel('Description').fill('Two lines\nof words');
  await admin.getByRole('radio', { name: 'Booking' }).check();
  await expect(admin.locator('#scopes-left')).toContainText('reservations:read');
  await admin.getByRole('checkbox', { name: 'Write' }).check();
  await expect(admin.locator('#scopes-left')).toContainText('reservations:*');
  await admin.getByRole('checkbox', { name: 'Access to all properties' }).uncheck();
  await admin.getByRole('checkbox', { name: 'Old Town' }).check();
  await admin.getByRole('button', { name: '90 days' }).click();
  await expect(admin.getByLabel('Day', { exact: true })).not.toHaveValue('');
  await admin.getByLabel('Day', { exact: true }).fill('2099-01-31');
  await admin.getByLabel('IP allowlist').fill('10.1.2.3/8\n2001:db8::1');
  await expect(admin.getByText('10.1.2.3/8 will be stored as 10.0.0.0/8')).toBeVisible();
  await admin.getByLabel('Allowed origins').fill('HTTPS://Book.Example.com:443/, http://localhost:8080');
  await admin.getByLabel('Rate limit').fill('120');
  await expectAccessible(admin);
  await admin.getByRole('button', { name: 'Generate' }).click();

  const { dialog, secret } = await secretIn(admin);
  await expectAccessible(admin);
  await expect(dialog).toContainText('cannot be shown again');
  await expect(dialog).toContainText(`curl -H "X-API-Key: ${secret}"`);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await expect(dialog.getByRole('button', { name: 'Copied' })).toBeVisible();
  await expect(dialog.getByRole('status')).toHaveText('Copied the secret.');
  expect(await admin.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await dialog.getByRole('button', { name: 'Done' }).click();

  await expect(admin).toHaveURL(/\/tenant-api-keys$/);
  await expect(admin.getByText('Generated “Front desk 👩🏽‍💻”.')).toBeVisible();
  await expect(row(admin, 'Front desk')).toContainText('by Ana');
  const [key] = await tenant.program.command(['key', 'list', '--tenant', tenant.slug]);
  expect(key).toMatchObject({
    name: 'Front desk 👩🏽‍💻',
    description: 'Two lines\nof words',
    group: { name: 'Booking' },
    scopes: ['read', 'write'],
    all_properties: false,
    properties: [tenant.properties[1]!.id],
    allowed_ips: ['10.0.0.0/8', '2001:db8::1'],
    allowed_origins: ['https://book.example.com', 'http://localhost:8080'],
    rate_limit_per_minute: 120,
    expires_at: '2099-01-31T23:59:59.999Z',
  });
});

test('a field is judged after it was left, and nothing typed is lost', async ({ admin }) => {
  await open(admin, form);
  const name = admin.getByLabel('Key name');
  await name.pressSequentially('x');
  await expect(name).not.toHaveAttribute('aria-invalid', 'true');
  await name.blur();
  await expect(name).toHaveAccessibleDescription('Use at least 2 characters.');
  await name.fill('xy');
  await expect(name).not.toHaveAttribute('aria-invalid', 'true');
  await name.fill('👩🏽‍🚀');
  await expect(name).toHaveAccessibleDescription('Use at least 2 characters.');
  await name.fill('é'.repeat(201));
  await expect(name).toHaveAccessibleDescription('Use at most 200 characters; these are 201.');
  await admin.getByLabel('IP allowlist').fill('10.0.0.0/8\nlocalhost');
  await admin.getByLabel('IP allowlist').blur();
  await expect(admin.getByText('Line 2, “localhost”, is neither')).toBeVisible();
  await admin.getByLabel('Allowed origins').fill('https://a.example, b.example');
  await admin.getByLabel('Allowed origins').blur();
  await expect(admin.getByText('“b.example” has to start with https://')).toBeVisible();
  await admin.getByLabel('Rate limit').fill('1001');
  await admin.getByRole('checkbox', { name: 'Read' }).uncheck();
  await admin.getByRole('checkbox', { name: 'Access to all properties' }).uncheck();
  await admin.getByRole('radio', { name: 'At an exact time' }).check();
  await admin.getByLabel('Day and time').fill('2020-01-01T12:00');
  await admin.getByRole('button', { name: 'Generate' }).click();
  for (const message of [
    'Use at most 200 characters',
    'Choose the authorization group',
    'Choose Read, Write or both',
    'Pick at least one property',
    'Choose a date in the future',
    'Line 2, “localhost”',
    '“b.example” has to start with',
    'between 1 and 1000 requests a minute',
  ]) {
    await expect(admin.getByText(message)).toBeVisible();
  }
  await expect(name).toBeFocused();
  await expect(name).toHaveValue('é'.repeat(201));
  await expect(admin.getByLabel('IP allowlist')).toHaveValue('10.0.0.0/8\nlocalhost');
  await expectAccessible(admin);
});

test('what only the server can know is said at its field, and the rest stays', async ({ admin, tenant, complaints }) => {
  await open(admin, form);
  await fillIn(admin, 'PMS');
  // The page was made before: a second later the date is in the past for the server alone.
  await admin.route('**/console/generate_key', async (route) => {
    const body = route.request().postDataJSON();
    await route.continue({ postData: { ...body, expiration: { end_of_day: '2020-01-01' } } });
  });
  await admin.getByRole('button', { name: 'Generate' }).click();
  await expect(admin.getByText('Choose a date in the future')).toBeVisible();
  await expect(admin.getByLabel('Key name')).toHaveValue('PMS');
  expect(await tenant.program.command(['key', 'list', '--tenant', tenant.slug])).toEqual([]);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
});

test('scopes that leave nothing of the group say so', async ({ admin }) => {
  await open(admin, form);
  await admin.getByRole('radio', { name: 'Verifier' }).check();
  await expect(admin.locator('#scopes-left')).toContainText('keys:verify');
  await admin.getByRole('checkbox', { name: 'Read' }).uncheck();
  await admin.getByRole('checkbox', { name: 'Write' }).check();
  await expect(admin.getByText('the key can do nothing')).toBeVisible();
  await expectAccessible(admin);
});

test('only groups for tenant keys are offered', async ({ admin, tenant }) => {
  const words = ['--tenant', tenant.slug, '--name', 'Front desk', '--type', 'person', '--permission', '*'];
  await tenant.program.command(['group', 'create', ...words]);
  await open(admin, form);
  await expect(admin.getByRole('radio', { name: 'Verifier' })).toBeVisible();
  await expect(admin.getByRole('radio', { name: 'Front desk' })).toHaveCount(0);
});

test('closing without a copy asks once more', async ({ admin }) => {
  await open(admin, form);
  await fillIn(admin, 'PMS');
  await admin.getByRole('button', { name: 'Generate' }).click();
  const { dialog, secret } = await secretIn(admin);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(dialog.getByRole('alert')).toContainText('You have not copied the secret');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Back to the secret' }).click();
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await admin.keyboard.press('Escape');
  await admin.keyboard.press('Escape');
  await expect(dialog).toContainText(secret);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.getByRole('button', { name: 'Close without copying' }).click();
  await expect(admin).toHaveURL(/\/tenant-api-keys$/);
});

test('where the clipboard is refused, the secret is selected', async ({ admin }) => {
  await open(admin, form);
  await admin.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
  });
  await fillIn(admin, 'PMS');
  await admin.getByRole('button', { name: 'Generate' }).click();
  const { dialog, secret } = await secretIn(admin);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await expect(dialog.getByRole('status')).toContainText('press Ctrl+C');
  expect(await admin.evaluate(() => getSelection()!.toString())).toBe(secret);
});

test('a secret is never seen again: not by reload, Back, in pages, storage, URL or log', async ({ admin, program }) => {
  const seen: string[] = [];
  admin.on('response', async (response) => {
    const isPage = response.headers()['content-type']?.startsWith('text/html');
    if (isPage && response.status() === 200) seen.push(await response.text().catch(() => ''));
  });
  await open(admin, form);
  await fillIn(admin, 'PMS');
  const answered = admin.waitForResponse('**/console/generate_key');
  await admin.getByRole('button', { name: 'Generate' }).click();
  expect((await answered).headers()['cache-control']).toBe('no-store');
  const { dialog, secret } = await secretIn(admin);
  const hidden = secret.slice('lk_tk_'.length + 8, -4);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(admin).toHaveURL(/\/tenant-api-keys$/);
  await alive(admin);
  for (const step of [() => admin.reload(), () => admin.goBack(), () => admin.goForward(), () => admin.goto(form)]) {
    await step();
    expect(await admin.content()).not.toContain(hidden);
    expect(admin.url()).not.toContain(hidden);
    const stored = await admin.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    expect(stored).not.toContain(hidden);
  }
  expect(seen.join('')).not.toContain(hidden);
  expect(program.log).not.toContain(hidden);
});

test('leaving with the secret open and coming Back does not show it', async ({ admin }) => {
  await open(admin, form);
  await fillIn(admin, 'PMS');
  await admin.getByRole('button', { name: 'Generate' }).click();
  const { secret } = await secretIn(admin);
  await admin.goto('/tenant-api-keys');
  await admin.goBack();
  await alive(admin);
  expect(await admin.content()).not.toContain(secret);
  await expect(admin.getByRole('dialog')).toHaveCount(0);
});

test('the refusal names the admin who reached the key limit first', async ({ page, program, complaints }, info) => {
  const tenant = await Tenant.make(program, `last${info.workerIndex}${info.repeatEachIndex}`, 1);
  await signIn(page, tenant.email('Ana'));
  await open(page, form);
  await fillIn(page, 'PMS');
  await tenant.key('Generated first');
  await page.getByRole('button', { name: 'Generate' }).click();
  await expect(page.getByRole('alert')).toContainText('The tenant uses all of its 1 keys.');
  await expect(page.getByLabel('Key name')).toHaveValue('PMS');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
});
