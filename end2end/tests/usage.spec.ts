import type { Page } from '@playwright/test';
import { Program } from './support/program';
import { alive, expect, expectAccessible, open, openDialog, row, test as base } from './support/test';

// The demo has keys that were used for a while, which no test could wait for.

const test = base.extend<{ demo: Page }, { program: Program }>({
  program: [
    async ({}, use) => {
      const program = await Program.start({ arguments: ['--demo'] });
      await use(program);
      await program.stop();
    },
    { scope: 'worker' },
  ],
  demo: async ({ page, program }, use) => {
    await expect.poll(() => program.log, 'the sign-in is printed').toMatch(/^ +password /m);
    const [, email] = /Sign in to the demo with +(\S+)/.exec(program.log)!;
    const [, password] = /^ +password +(\S+)/m.exec(program.log)!;
    await open(page, '/sign-in');
    await page.getByLabel('E-mail').fill(email!);
    await page.getByLabel('Password').fill(password!);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/tenant-api-keys$/);
    await alive(page);
    await use(page);
  },
});

test.slow();

const pms = 'Property management system';

/** Opens the page of a key from the list. */
async function openKey(page: Page, name: string): Promise<void> {
  await row(page, name).getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await alive(page);
}

/** A part of the page that has a heading. */
const part = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

const outcomes = (page: Page) => part(page, 'Log').locator('tbody .badge');

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(content, 'the page is wider than its window').toBeLessThanOrEqual(width!);
}

test('a key has a page that says what it may do', async ({ demo }) => {
  await openKey(demo, 'Revenue management');
  await expect(demo).toHaveTitle('Revenue management · API Keys · Latchkey');
  await expect(demo.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'API Keys' })).toBeVisible();
  await expect(demo.locator('header', { hasText: 'Revenue management' })).toContainText('Expiring soon');
  const terms = part(demo, 'What it may do');
  for (const words of ['Reporting', '*:read', 'looks things up and changes nothing', '60 requests a minute']) {
    await expect(terms).toContainText(words);
  }
  await expect(terms.getByRole('listitem')).toHaveText(['Harbour House', 'Seaview Resort']);
  await expect(terms).toContainText('Any address');
  await expect(terms).toContainText(/Last used\s*3 hours ago\s*from 203\.0\.113\.24/);
  await expect(terms).toContainText('Times are those of Europe/Lisbon.');
  await expectAccessible(demo);
});

test('the chart tells of the last day and the last month, and so does its table', async ({ demo }) => {
  await openKey(demo, pms);
  const usage = part(demo, 'Usage');
  for (const [range, steps] of [
    ['24 hours', 24],
    ['30 days', 30],
  ] as const) {
    await usage.getByRole('link', { name: range }).click();
    await expect(usage.getByRole('link', { name: range })).toHaveAttribute('aria-current', 'true');
    const chart = usage.getByRole('img', { name: new RegExp(`calls in the last ${range}: .* allowed, .* rate limited, .* denied`) });
    await expect(chart).toBeVisible();
    await expect(chart.locator('.chart-bar')).toHaveCount(steps);
    await usage.getByText('The same as a table').click();
    const table = usage.getByRole('table');
    await expect(table.locator('tbody tr')).toHaveCount(steps);
    for (const outcome of ['VALID', 'IP_NOT_ALLOWED', 'RATE_LIMITED']) {
      await expect(table.getByRole('columnheader', { name: outcome })).toBeVisible();
    }
    const number = (text: string) => Number(text.replaceAll(',', ''));
    const together = (await table.locator('tbody td:last-child').allTextContents()).map(number);
    const sum = together.reduce((left, right) => left + right, 0);
    await expect(table.locator('tfoot td').last()).toHaveText(sum.toLocaleString('en-US'));
    const legend = (await usage.locator('.legend strong').allTextContents()).map(number);
    expect(legend.reduce((left, right) => left + right, 0)).toBe(sum);
  }
  await expectAccessible(demo);
});

test('the log is paged and narrowed to an outcome by its URL', async ({ demo }) => {
  await openKey(demo, pms);
  const log = part(demo, 'Log');
  const first = await log.locator('tbody tr').first().textContent();
  await expect(log.locator('tbody tr')).toHaveCount(25);
  await expect(log.getByRole('link', { name: 'Newer' })).toHaveCount(0);
  await log.getByRole('link', { name: 'Older' }).click();
  await expect(demo).toHaveURL(/\?before=\d+-\d+#log$/);
  await expect(log.locator('tbody tr')).toHaveCount(25);
  await expect(log.locator('tbody tr').first()).not.toHaveText(first!);
  await log.getByRole('link', { name: 'Newer' }).click();
  await expect(log.locator('tbody tr').first()).toHaveText(first!);

  await log.getByRole('link', { name: 'Rate limited' }).click();
  await expect(demo).toHaveURL(/\?outcome=RATE_LIMITED#log$/);
  await expect(outcomes(demo).first()).toHaveText('Rate limited');
  expect(new Set(await outcomes(demo).allTextContents())).toEqual(new Set(['Rate limited']));
  await expect(log.getByRole('cell', { name: '429' }).first()).toBeVisible();
  await part(demo, 'Usage').getByRole('link', { name: '30 days' }).click();
  await expect(demo, 'the chart leaves the log as it is').toHaveURL(/\?range=30d&outcome=RATE_LIMITED#usage$/);
  await demo.goto(demo.url().replace('RATE_LIMITED', 'EXPIRED'));
  await expect(log).toContainText('No call of the last 30 days had this outcome.');
  await expectAccessible(demo);
  await log.getByRole('link', { name: 'Show all calls' }).click();
  await expect(log.locator('tbody tr')).toHaveCount(25);
  await expect(log).toContainText('Each call is kept for 30 days. Times are those of Europe/Lisbon.');
});

test('a key that was never used and one that was not for long say so', async ({ demo }) => {
  await openKey(demo, 'Data warehouse');
  await expect(part(demo, 'Never used')).toContainText('revoke it');
  await expect(demo.getByRole('img')).toHaveCount(0);
  await expectAccessible(demo);
  await open(demo, '/tenant-api-keys');
  await openKey(demo, 'Seaview kiosk');
  await expect(part(demo, 'Usage')).toContainText('No calls in the last 24 hours.');
  await expect(part(demo, 'Log')).toContainText('No calls in the last 30 days.');
  await expectAccessible(demo);
});

test('a page that no key has is not found', async ({ demo, complaints }) => {
  for (const id of ['key_01KAJ2TZ7Z0000000000000000', 'nonsense', '%FF']) {
    const answer = await demo.goto(`/tenant-api-keys/${id}`);
    expect(answer!.status(), id).toBe(404);
    await expect(demo.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  }
  expect(complaints.splice(0)).toHaveLength(3);
});

test('what needs attention is marked and leads to its like', async ({ demo }) => {
  const filter = demo.getByRole('group', { name: 'Needs attention' });
  for (const [mark, parameter, name] of [
    ['Never used', 'never_used', 'Data warehouse'],
    ['Unused for 90 days', 'unused', 'Seaview kiosk'],
    ['Secret over a year old', 'old_secret', pms],
  ] as const) {
    await open(demo, '/tenant-api-keys');
    await row(demo, name).getByRole('link', { name: mark }).click();
    await expect(demo).toHaveURL(new RegExp(`\\?attention=${parameter}$`));
    await expect(filter.getByRole('link', { name: mark })).toHaveAttribute('aria-current', 'true');
    await expect(row(demo, name)).toBeVisible();
    await expectAccessible(demo);
  }
  await filter.getByRole('link', { name: 'Never used' }).click();
  await expect(row(demo, 'Loyalty pilot'), 'a new key is listed').toBeVisible();
  await expect(row(demo, 'Loyalty pilot').getByRole('link', { name: 'Never used' }), 'and not nagged about').toHaveCount(0);
  await filter.getByRole('link', { name: 'All keys' }).click();
  await expect(demo).toHaveURL(/tenant-api-keys$/);
});

test('who still signs in with a password is named, with a way out', async ({ demo }) => {
  await expect(demo.getByRole('heading', { name: 'Still signing in with a password' })).toBeVisible();
  const mei = demo.getByRole('row').filter({ hasText: 'mei@northwind.example' });
  await expect(mei).toContainText('Basic');
  await expect(mei).toContainText('18,240');
  await expect(mei).toContainText('5 hours ago');
  await expect(demo.getByText('Basic and JWT work until the end of 30 Jun 2027')).toBeVisible();
  await expect(demo.getByRole('link', { name: 'How to move' })).toHaveAttribute('href', '/docs/migrate');
  await mei.getByRole('link', { name: 'Create a key' }).click();
  await expect(demo).toHaveURL(/tenant-api-keys\/new$/);
});

test('the page of a key is worked by the keyboard', async ({ demo }) => {
  await openKey(demo, pms);
  await demo.getByText('The same as a table').focus();
  await demo.keyboard.press('Enter');
  await expect(part(demo, 'Usage').getByRole('table')).toBeVisible();
  await demo.keyboard.press('Tab');
  await expect(demo.getByRole('region', { name: 'Calls by outcome' }), 'so that it scrolls').toBeFocused();
  await demo.getByRole('button', { name: `Rotate ${pms}` }).focus();
  await demo.keyboard.press('Enter');
  await expect(demo.getByRole('dialog')).toBeVisible();
  await demo.keyboard.press('Escape');
  await expect(demo.getByRole('button', { name: `Rotate ${pms}` })).toBeFocused();
});

test('what is done with a key is done on its page as well', async ({ admin, tenant }) => {
  await tenant.key('Short-lived');
  await open(admin, '/tenant-api-keys');
  await openKey(admin, 'Short-lived');
  const revoking = await openDialog(admin, 'Revoke', 'Short-lived');
  await revoking.getByRole('button', { name: 'Revoke' }).click();
  await expect(admin.getByRole('status').filter({ hasText: 'Revoked “Short-lived”.' })).toBeVisible();
  await expect(part(admin, 'What it may do')).toContainText(/Revoked.*by Ana/);
  await alive(admin);
  await expect(admin.getByRole('button', { name: 'Delete Short-lived' })).toBeFocused();
  const deleting = await openDialog(admin, 'Delete', 'Short-lived');
  await deleting.getByRole('button', { name: 'Delete' }).click();
  await expect(admin, 'the page goes with its key').toHaveURL(/tenant-api-keys$/);
  await expect(admin.getByRole('status').filter({ hasText: 'Deleted “Short-lived”.' })).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });

  test('the list and the page of a key fit', async ({ demo }) => {
    await expectNoSidewaysScroll(demo);
    await expectAccessible(demo);
    await openKey(demo, pms);
    await demo.getByText('The same as a table').tap();
    await expectNoSidewaysScroll(demo);
    await expect(demo.getByRole('img', { name: /calls in the last 24 hours/ })).toBeVisible();
    await expectAccessible(demo);
  });
});
