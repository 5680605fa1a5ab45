/** What is used of Electron is what has been reviewed for the two versions: see “Two Electrons” in docs/electron.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { usedApis } from './testing/usedApis.ts';

const root = join(import.meta.dirname, '..');
const chapter = readFileSync(join(root, 'docs', 'electron.md'), 'utf8').split('\n## ').find((text) => text.startsWith('Two Electrons')) ?? '';

test('every API of Electron that is used has been reviewed, and none stands in the list that is not used', { timeout: 60_000 }, () => {
  const used = usedApis(root);
  expect(used.length).toBeGreaterThan(80);
  expect(used).toEqual(expect.arrayContaining(['App.on second-instance', 'WebContents.on will-navigate', 'new BrowserWindow', '.senderFrame', 'WebUtils.getPathForFile']));
  const reviewed = /```\n([\s\S]*?)```/.exec(chapter)?.[1] ?? '';
  // New or gone ones: read what Electron's breaking changes say of them, then correct the list and the table.
  expect(byOwner(used)).toEqual(reviewed.trimEnd().split('\n'));
});

test('the review covers the Electron that people get', () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')));
  expect(chapter).toContain(`Reviewed for Electron 22 to ${version.split('.')[0]}:`);
});

/** One line for each class or module. */
function byOwner(apis: readonly string[]): string[] {
  const members = new Map<string, string[]>();
  for (const api of apis) {
    const [owner = '', member = ''] = api.startsWith('new ') ? ['new', api.slice(4)] : api.split(/\.(.*)/, 2);
    const name = owner || 'several events';
    members.set(name, [...(members.get(name) ?? []), member]);
  }
  return [...members].map(([owner, names]) => `${owner}: ${names.join(', ')}`);
}
