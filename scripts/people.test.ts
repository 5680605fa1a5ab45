/** `docs/people.md` says which test shows what a person does: the tests have to be there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootFolder } from './paths.mjs';

const row = /^\| (?<deed>[^|]+) \| `(?<file>[\w.]+)` \| (?<title>[^|]+) \|$/;

test('every row of docs/people.md names a test that there is', () => {
  const lines = readFileSync(join(rootFolder, 'docs', 'people.md'), 'utf8').split('\n').filter((line) => line.startsWith('|') && !/^\|(---| what a person does )/.test(line));
  expect(lines.length).toBeGreaterThan(30);
  const missing = lines.filter((line) => {
    const { file, title } = row.exec(line)?.groups ?? {};
    return file === undefined || title === undefined || !readFileSync(join(rootFolder, 'e2e', `${file}.ts`), 'utf8').includes(`test('${title}'`);
  });
  expect(missing).toEqual([]);
});
