import { defineConfig } from '@playwright/test';

/** The real interface on the real engine; `npm test -- chromium` and `npm test -- electron` set up what it needs. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  // One GPU, and often a processor that plays one: one test at a time.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] === 'true',
  projects: [
    { name: 'chromium', testIgnore: '**/*.electron.spec.ts' },
    { name: 'electron', testIgnore: '**/*.chromium.spec.ts' },
  ],
});
