import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { playwrightCounts, vitestCounts } from './testReports.mjs';

const program = (...path: string[]) => join(rootFolder, 'node_modules', ...path);

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-reports-'));
  symlinkSync(program(), join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

test('of Vitest: what passed, what failed and why, and a file that cannot be loaded', async () => {
  const folder = folderWith({
    'vitest.config.mjs': 'export default { test: { globals: true } };',
    'some.test.mjs': `
      describe('sums', () => {
        test('right', () => expect(1 + 1).toBe(2));
        test('wrong', () => expect(1 + 1).toBe(3));
        test.skip('not today', () => {});
      });`,
    'broken.test.mjs': 'throw new Error("it cannot be loaded");',
  });
  const report = join(folder, 'report.json');
  const { status } = await run(process.execPath, [program('vitest', 'vitest.mjs'), 'run', '--root', folder, '--reporter=json', `--outputFile=${report}`], { cwd: folder });
  const { failures, ...counts } = vitestCounts(report, Number(status), folder);
  expect(counts).toEqual({ passed: 1, failed: 2, skipped: 1 });
  expect([...failures].sort()).toEqual([
    expect.stringMatching(/^broken\.test\.mjs › \(the file\) › .*it cannot be loaded/),
    expect.stringMatching(/^some\.test\.mjs › sums wrong › AssertionError: expected 2 to be 3/),
  ]);
});

test('of Playwright: what passed, and what failed and why, without colours', async () => {
  const folder = folderWith({
    'playwright.config.mjs': 'export default {};',
    'some.spec.mjs': `
      import { expect, test } from '@playwright/test';
      test('right', () => expect(1).toBe(1));
      test.describe('sums', () => { test('wrong', () => expect(1).toBe(3)); });`,
  });
  const report = join(folder, 'report.json');
  const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: report, FORCE_COLOR: '1' };
  const { status } = await run(process.execPath, [program('@playwright', 'test', 'cli.js'), 'test', '--reporter=json'], { cwd: folder, env });
  expect(playwrightCounts(report, Number(status))).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
    failures: ['some.spec.mjs › wrong › Error: expect(received).toBe(expected) // Object.is equality; Expected: 3; Received: 1'],
  });
});

test('a process that ends badly without a failed test, or without a report, is a failure that is told', () => {
  expect(vitestCounts('/nowhere/report.json', 134, '/')).toEqual({ passed: 0, failed: 1, skipped: 0, failures: ['it ended with 134 though no test failed (see above)'] });
  expect(playwrightCounts('/nowhere/report.json', 0)).toEqual({ passed: 0, failed: 0, skipped: 0, failures: [] });
});
