import { open, signIn, test } from './support/test';
test('shots', async ({ admin, tenant, browser }) => {
  test.setTimeout(240000);
  const group = ['group', 'create', '--tenant', tenant.slug, '--type', 'person', '--permission', 'reservations:*', '--name'];
  await tenant.program.command([...group, 'Front desk']);
  await tenant.program.command([...group, 'Night shift']);
  await tenant.person('Mia', 'member');
  await tenant.person('Ben', 'tenant-admin');
  const people = await tenant.program.command(['person', 'list', '--tenant', tenant.slug]);
  const id = (n: string) => people.find((p: any) => p.name === n).id;
  await tenant.program.command(['person', 'set-role', id('Mia'), '--group', 'Front desk', '--group', 'Night shift']);
  const zoe = await tenant.program.command(['person', 'invite', '--tenant', tenant.slug, '--email', 'zoe@x.test', '--name', 'Zoe']);
  await tenant.person('Gone', 'member');
  const all = await tenant.program.command(['person', 'list', '--tenant', tenant.slug]);
  const gone = all.find((p: any) => p.name === 'Gone').id;
  await tenant.program.command(['person', 'switch-off', gone]);
  const mia = await (await browser.newContext({ baseURL: tenant.program.url })).newPage();
  await signIn(mia, tenant.email('Mia'));
  const token = zoe.link.split('/').pop();
  const shot = async (page: any, name: string, path: string, act?: () => Promise<void>) => {
    for (const [w, h] of [[1400, 900], [390, 844]]) for (const colorScheme of ['light', 'dark'] as const) {
      if (w === 390 && colorScheme === 'dark' && !['people', 'mia'].includes(name)) continue;
      await page.setViewportSize({ width: w, height: h });
      await page.emulateMedia({ colorScheme });
      await open(page, path);
      if (act) await act();
      await page.waitForTimeout(200);
      await page.screenshot({ path: `/tmp/people/shots/${name}-${w}-${colorScheme}.png`, fullPage: !act });
    }
  };
  await shot(admin, 'people', '/people');
  await shot(admin, 'new', '/people/new');
  await shot(admin, 'mia', `/people/${id('Mia')}`);
  await shot(admin, 'gone', `/people/${gone}`);
  await shot(admin, 'ana', `/people/${id('Ana')}`);
  await shot(mia, 'home', '/');
  await shot(mia, 'invitation', `/invitation/${token}`);
  await shot(mia, 'spent', `/invitation/none`);
  await shot(admin, 'require', '/people', async () => { await admin.getByRole('button', { name: 'Require a second' }).click(); });
  await shot(admin, 'off', `/people/${id('Mia')}`, async () => { await admin.getByRole('button', { name: 'Switch off' }).click(); });
});
