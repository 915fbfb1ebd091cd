import { type Locator, type Page, test as base, expect } from '@playwright/test';
import axe from 'axe-core';
import { Program } from './program';

export const password = 'correct horse battery';

/** A tenant of its own for each test, with an admin, two properties and a group besides the first ones. */
export class Tenant {
  constructor(
    readonly program: Program,
    readonly slug: string,
    readonly properties: { id: string; name: string }[],
  ) {}

  static async make(program: Program, slug: string, keyLimit: number): Promise<Tenant> {
    const limit = String(keyLimit);
    await program.command(['tenant', 'create', '--slug', slug, '--name', `Hotels of ${slug}`, '--key-limit', limit]);
    const tenant = new Tenant(program, slug, []);
    await tenant.person('Ana', 'tenant-admin');
    for (const name of ['Harbour House', 'Old Town']) {
      tenant.properties.push(await program.command(['property', 'create', '--tenant', slug, '--name', name]));
    }
    const permissions = ['--permission', 'reservations:*', '--permission', 'services:read'];
    const group = ['group', 'create', '--tenant', slug, '--name', 'Booking', '--type', 'tenant-api-key'];
    await program.command([...group, ...permissions]);
    return tenant;
  }

  email(name: string): string {
    return `${name.toLowerCase()}@${this.slug}.test`;
  }

  /** Creates a person who can sign in, and returns their id. */
  async person(name: string, role: string): Promise<string> {
    const words = ['--tenant', this.slug, '--email', this.email(name), '--name', name, '--role', role];
    const made = await this.program.command(['person', 'create', ...words, '--password-stdin'], password);
    return made.id;
  }

  /** Generates a key at the shell. */
  async key(name: string, ...words: string[]): Promise<{ id: string; secret: string }> {
    const rest = words.includes('--group') ? words : ['--group', 'Full access', ...words];
    return this.program.command(['key', 'create', '--tenant', this.slug, '--name', name, ...rest]);
  }
}

type Fixtures = {
  /** How many keys the tenant may have. */
  keyLimit: number;
  tenant: Tenant;
  /** What the page said on its console; a test that expects a line takes it out. */
  complaints: string[];
  /** The page of the tenant's admin, signed in, at the list. */
  admin: Page;
};

export const test = base.extend<Fixtures, { program: Program }>({
  program: [
    async ({}, use) => {
      const program = await Program.start();
      await use(program);
      await program.stop();
    },
    { scope: 'worker' },
  ],
  keyLimit: [10, { option: true }],
  tenant: async ({ program, keyLimit }, use, info) => {
    const slug = `t${info.testId.replaceAll('-', '').slice(-12)}r${info.repeatEachIndex}`;
    await use(await Tenant.make(program, slug, keyLimit));
  },
  baseURL: async ({ program }, use) => use(program.url),
  complaints: async ({}, use) => {
    const complaints: string[] = [];
    await use(complaints);
    expect(complaints, 'what the browser complained of').toEqual([]);
  },
  page: async ({ page, complaints }, use) => {
    watch(page, complaints);
    await use(page);
  },
  admin: async ({ page, tenant }, use) => {
    await signIn(page, tenant.email('Ana'));
    await use(page);
  },
});

export { expect };

/** Notes every error and warning of a page. */
export function watch(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
}

/** Opens a page and waits until it is alive. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await alive(page);
}

export async function alive(page: Page): Promise<void> {
  await expect(page.locator('html[data-ready]')).toBeAttached();
}

export async function signIn(page: Page, email: string): Promise<void> {
  await open(page, '/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/sign-in/);
  await alive(page);
}

/** What axe knows of that depends on colours. */
const colourRules = ['color-contrast', 'link-in-text-block'];

/** No violation that axe knows of, in light and in dark, which differ by nothing but colours. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  await expectNoViolation(page, 'light', {});
  await expectNoViolation(page, 'dark', { runOnly: colourRules });
}

async function expectNoViolation(page: Page, colorScheme: 'light' | 'dark', rules: axe.RunOptions): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  const found = await page.evaluate(
    async (options) => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(options);
      return violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => node.html) }));
    },
    { ...rules, resultTypes: ['violations'] } satisfies axe.RunOptions,
  );
  expect(found, `axe in ${colorScheme}`).toEqual([]);
}

export function row(page: Page, name: string): Locator {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
}

/** Opens one of a key's dialogs. */
export async function openDialog(page: Page, verb: string, name: string): Promise<Locator> {
  await page.getByRole('button', { name: `${verb} ${name}`, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  return dialog;
}
