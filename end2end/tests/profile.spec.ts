import { expect, expectAccessible, open, password, signIn, test } from './support/test';

test('people see their role and permissions', async ({ page, tenant, program }) => {
  await tenant.person('Mia', 'member');
  const root = `root.${tenant.slug}@example.test`;
  const words = ['person', 'create', '--email', root, '--name', 'Root', '--role', 'super-user', '--password-stdin'];
  await program.command(words, password);
  for (const [email, role, powers] of [
    [tenant.email('Mia'), 'Member', 'Nothing yet.'],
    [tenant.email('Ana'), 'Admin', `Everything in Hotels of ${tenant.slug}.`],
    [root, 'Super user', 'You run this installation'],
  ] as const) {
    await signIn(page, email);
    for (const path of ['/user_profile', '/user-profile']) {
      await open(page, path);
      const about = page.getByRole('region', { name: 'About you' });
      for (const text of [email, role, powers]) await expect(about).toContainText(text);
    }
    await expectAccessible(page);
    await page.context().clearCookies();
  }
});

test('people change their own name', async ({ page, tenant, complaints }) => {
  await tenant.person('Mia', 'member');
  await signIn(page, tenant.email('Mia'));
  await open(page, '/user-profile');
  const opener = page.getByRole('button', { name: 'Change name' });
  await opener.click();
  const dialog = page.getByRole('dialog', { name: 'Change your name' });
  await dialog.getByLabel('Name').fill('M');
  await dialog.getByLabel('Name').press('Enter');
  await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  await expectAccessible(page);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
  await dialog.getByLabel('Name').fill('Mia Marin');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('You are called “Mia Marin” now.')).toBeVisible();
  await expect(page.getByRole('region', { name: 'About you' })).toContainText('Mia Marin');
});
