import { expect, expectAccessible, open, openDialog, row, test } from './support/test';

test('revoking names the key, says what breaks, and is for good', async ({ admin, tenant }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  await expect(admin.getByText('1/10 keys')).toBeVisible();
  const dialog = await openDialog(admin, 'Revoke', 'PMS');
  await expect(dialog.getByRole('heading')).toHaveText('Revoke “PMS”?');
  await expect(dialog).toContainText('lose access immediately, and that cannot be undone');
  await expectAccessible(admin);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(row(admin, 'PMS')).toContainText('Active');
  await expect(admin.getByRole('button', { name: 'Revoke PMS' })).toBeFocused();
  await (await openDialog(admin, 'Revoke', 'PMS')).getByRole('button', { name: 'Revoke' }).click();
  await expect(row(admin, 'PMS')).toContainText('Revoked');
  await expect(admin.getByText('Revoked “PMS”.')).toBeVisible();
  await expect(admin.getByText('0/10 keys')).toBeVisible();
  await expect(row(admin, 'PMS').getByText('Revoked')).toHaveAttribute('title', /by Ana$/);
});

test('revoking a key that another admin revoked is one revocation', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Revoke', 'PMS');
  await tenant.program.command(['key', 'revoke', id]);
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(row(admin, 'PMS')).toContainText('Revoked');
  expect(await tenant.program.command(['key', 'show', id])).toMatchObject({ revoked_by: 'Operator' });
});

test('deleting an active key asks for its name', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Delete', 'PMS');
  await expect(dialog).toContainText('The key is active: applications that use it lose access immediately.');
  const confirm = dialog.getByRole('button', { name: 'Delete' });
  await expect(confirm).toBeDisabled();
  await expectAccessible(admin);
  await dialog.getByLabel('Type PMS to confirm').fill('PM');
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel('Type PMS to confirm').fill('PMS');
  await confirm.click();
  await expect(admin.getByText('Deleted “PMS”.')).toBeVisible();
  await expect(admin.getByRole('heading', { name: 'No API keys yet' })).toBeVisible();
  const { code, error } = await tenant.program.shell(['key', 'show', id]);
  expect([code, error]).toEqual([1, 'latchkey: There is no such key.\n']);
});

test('deleting a revoked key asks once', async ({ admin, tenant }) => {
  const { id } = await tenant.key('PMS');
  await tenant.program.command(['key', 'revoke', id]);
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Delete', 'PMS');
  await expect(dialog.getByRole('textbox')).toHaveCount(0);
  await expect(dialog).not.toContainText('The key is active');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(admin.getByRole('heading', { name: 'No API keys yet' })).toBeVisible();
});

test('what fails is said in the dialog and can be tried again', async ({ admin, tenant, complaints }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Revoke', 'PMS');
  await admin.route('**/console/revoke_key', (route) => route.abort());
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('The server cannot be reached. Check your connection and try again.');
  await admin.unroute('**/console/revoke_key');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(row(admin, 'PMS')).toContainText('Revoked');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
});

test('an ended session is reported, and the page keeps its content', async ({ admin, tenant, complaints }) => {
  await tenant.key('PMS');
  await open(admin, '/tenant-api-keys');
  const dialog = await openDialog(admin, 'Revoke', 'PMS');
  await admin.context().clearCookies();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Your session has ended.');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
});
