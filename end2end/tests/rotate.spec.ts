import { expect, expectAccessible, open, openDialog, row, test } from './support/test';

const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();

test('a rotation warns, and shows the new secret once', async ({ admin, tenant }) => {
  const old = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Rotate', 'PMS');
  await expect(dialog).toContainText('all applications with the old one lose access immediately');
  await expect(dialog.getByRole('radio', { name: 'No, it stops working now' })).toBeChecked();
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  const modal = admin.getByRole('dialog', { name: 'Copy the secret of “PMS” now' });
  const secret = await modal.getByLabel('Secret', { exact: true }).textContent();
  expect(secret).toMatch(/^lk_tk_/);
  expect(secret).not.toBe(old.secret);
  await expectAccessible(admin);
  await modal.getByRole('button', { name: 'Done' }).click();
  await modal.getByRole('button', { name: 'Close without copying' }).click();
  await expect(row(admin, 'PMS')).toContainText(secret!.slice(-4));
  await expect(admin.getByText('Rotated “PMS”.')).toBeVisible();
  await expect(admin.getByText('Old secret until')).toHaveCount(0);
  expect(await admin.content()).not.toContain(secret!);
});

test('the old secret can stay for a while, and be ended', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Rotate', 'PMS');
  await dialog.getByRole('radio', { name: 'For 24 hours' }).check();
  await expect(dialog).toContainText('lose access when its time is over');
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  const modal = admin.getByRole('dialog', { name: 'Copy the secret of' });
  await modal.getByRole('button', { name: 'Done' }).click();
  await modal.getByRole('button', { name: 'Close without copying' }).click();
  await expect(row(admin, 'PMS')).toContainText('Old secret until');
  await row(admin, 'PMS').getByRole('button', { name: 'End now' }).click();
  const ending = admin.getByRole('dialog');
  await expect(ending).toContainText('have not been given the new secret lose access immediately');
  await expectAccessible(admin);
  await ending.getByRole('button', { name: 'End now' }).click();
  await expect(admin.getByText('Ended the old secret of “PMS”.')).toBeVisible();
  await expect(admin.getByText('Old secret until')).toHaveCount(0);
});

test('the expiration can be set anew', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS', '--expires', days(5));
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Rotate', 'PMS');
  await dialog.getByRole('radio', { name: 'Set a new one' }).check();
  await dialog.getByLabel('Day', { exact: true }).fill('2020-01-01');
  await dialog.getByLabel('Day', { exact: true }).blur();
  await expect(dialog.getByText('Choose a date in the future')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Rotate' })).toBeDisabled();
  await dialog.getByLabel('Day', { exact: true }).fill('2099-12-31');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await expect(admin.getByRole('dialog', { name: 'Copy the secret of' })).toBeVisible();
  expect(await tenant.program.command(['key', 'show', id])).toMatchObject({ expires_at: '2099-12-31T23:59:59.999Z' });
});

test('the second of two rotations is told', async ({ admin, tenant, complaints }) => {
  const { id } = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Rotate', 'PMS');
  await tenant.program.command(['key', 'rotate', id]);
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Operator changed this key a moment ago.');
  await expectAccessible(admin);
  expect(await tenant.program.command(['key', 'show', id])).toMatchObject({ version: 2 });
  expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
});
