import { defineConfig } from '@playwright/test';

/** It holds frames against milliseconds: nothing else may run beside it. */
const timed = '**/chatLibrary.chromium.spec.ts';

/** The real interface on the real engine; `npm test -- chromium` and `npm test -- electron` set up what it needs. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  // One GPU, and often a processor that plays one; `npm test` runs two stories side by side where nothing is timed.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] === 'true',
  projects: [
    { name: 'chromium', testIgnore: ['**/*.electron.spec.ts', timed] },
    { name: 'chromium-timed', testMatch: timed },
    { name: 'electron', testIgnore: '**/*.chromium.spec.ts' },
  ],
});
