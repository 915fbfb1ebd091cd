import { expect, expectAccessible, open, password, signIn, Tenant, test } from './support/test';

test('an admin signs in and is led to the keys', async ({ page, tenant }) => {
  await open(page, '/');
  await expect(page).toHaveURL(/\/sign-in$/);
  await expectAccessible(page);
  await signIn(page, tenant.email('Ana'));
  await expect(page).toHaveURL(/\/tenant-api-keys$/);
  await expect(page.getByRole('heading', { level: 1, name: 'API Keys' })).toBeVisible();
});

test('a wrong password and an unknown address are told alike, and the address stays', async ({ page, tenant, complaints }) => {
  await open(page, '/sign-in');
  for (const email of [tenant.email('Ana'), 'unknown@example.test']) {
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('a wrong password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
    await expect(page.getByLabel('E-mail')).toHaveValue(email);
    await expect(page.getByLabel('Password')).toHaveValue('');
  }
  await expectAccessible(page);
  // The browser itself reports that a call was answered with 401.
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401'), expect.stringContaining('401')]);
});

test('people with the same address sign in with their organization', async ({ page, program, tenant, complaints }) => {
  const other = await Tenant.make(program, `${tenant.slug}b`, 10);
  const email = 'both@example.test';
  for (const { slug } of [tenant, other]) {
    const person = ['person', 'create', '--tenant', slug, '--email', email, '--name', 'Both', '--role', 'tenant-admin'];
    await program.command([...person, '--password-stdin'], password);
  }
  await open(page, '/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Organization').fill(other.slug);
  await page.getByLabel('Organization').press('Enter');
  await expect(page).toHaveURL(/\/tenant-api-keys$/);
  await page.goto('/user-profile');
  await expect(page.getByText(other.slug, { exact: true })).toBeVisible();
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
});

test('the way back to the page that was asked for, and to no other site', async ({ page, tenant }) => {
  await open(page, '/tenant-api-keys?status=revoked');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel('E-mail').fill(tenant.email('Ana'));
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Password').press('Enter');
  await expect(page).toHaveURL(/\/tenant-api-keys\?status=revoked$/);
  await page.goto('/sign-in?next=//evil.example/');
  await expect(page).toHaveURL(/\/tenant-api-keys$/);
});

test('signing out ends the session', async ({ admin }) => {
  const [session] = await admin.context().cookies();
  expect(session).toMatchObject({ name: 'latchkey_session', httpOnly: true, sameSite: 'Lax', path: '/' });
  await admin.getByRole('button', { name: 'Sign out' }).click();
  await expect(admin).toHaveURL(/\/sign-in$/);
  await admin.context().addCookies([session!]);
  await admin.goto('/tenant-api-keys');
  await expect(admin).toHaveURL(/\/sign-in/);
});

test('a member is told that the keys are for admins', async ({ page, tenant }) => {
  await tenant.person('Mia', 'member');
  await signIn(page, tenant.email('Mia'));
  await expect(page.getByRole('heading', { name: 'You are signed in' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'API Keys', exact: true })).toHaveCount(0);
  await expectAccessible(page);
});

test('a member who opens the keys all the same is refused', async ({ page, tenant, complaints }) => {
  await tenant.person('Mia', 'member');
  await signIn(page, tenant.email('Mia'));
  for (const path of ['/tenant-api-keys', '/tenant-api-keys/new']) {
    const answer = await page.goto(path);
    expect(answer!.status()).toBe(403);
    await expect(page.getByRole('heading', { name: 'Only admins can open this page' })).toBeVisible();
  }
  await expectAccessible(page);
  expect(complaints.splice(0).every((line) => line.includes('403'))).toBe(true);
});

test('light, dark, or as the system has it, and it stays', async ({ admin }) => {
  const background = () => admin.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await admin.emulateMedia({ colorScheme: 'light' });
  const light = await background();
  await admin.getByLabel('Theme').selectOption('Dark');
  const dark = await background();
  expect(dark).not.toBe(light);
  await open(admin, '/tenant-api-keys/new');
  expect(await background()).toBe(dark);
  await expect(admin.getByLabel('Theme')).toHaveValue('dark');
  await admin.getByLabel('Theme').selectOption('System');
  expect(await background()).toBe(light);
});

test('a page that does not exist says so', async ({ admin, complaints }) => {
  const answer = await admin.goto('/nowhere');
  expect(answer!.status()).toBe(404);
  await expect(admin.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await expectAccessible(admin);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('404')]);
});
