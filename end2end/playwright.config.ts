import { defineConfig } from '@playwright/test';

// `cargo xtask test` says where the browser is; without it, Playwright's own is used.
const executablePath = process.env.LATCHKEY_CHROMIUM || undefined;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  workers: 2,
  // Some look at a page with axe in light and in dark after each step.
  timeout: 90_000,
  expect: { timeout: 7_000 },
  reporter: [['list']],
  // No trace unless `--trace on` asks for it: recording each test took a third of the time.
  use: {
    viewport: { width: 1400, height: 900 },
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
});
