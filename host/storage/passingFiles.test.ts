import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openTestHost } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { PassingFiles } from './passingFiles.ts';

test('what was noted and did not arrive is removed; what belongs to a row, or was not noted, stays', async () => {
  const { database } = await openTestHost();
  const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
  const [left, arrived, taken, outside, unknown] = [join(folder, 'left'), join(folder, 'arrived'), join(folder, 'taken'), join(elsewhere, 'outside'), join(folder, 'unknown')];
  for (const path of [left, arrived, taken, outside, unknown]) writeFileSync(path, 'content');
  const passing = new PassingFiles(database, 'document', folder);
  passing.note([left, arrived, taken, outside]);
  passing.forget([arrived]);
  await new PassingFiles(database, 'model', folder).removeLeft(() => false);
  await passing.removeLeft((path) => path === taken);
  expect([left, arrived, taken, outside, unknown].filter((path) => existsSync(path))).toEqual([arrived, taken, unknown]);
  // It is settled: what comes under this name later is not touched.
  writeFileSync(left, 'another one');
  await passing.removeLeft(() => false);
  expect(existsSync(left)).toBe(true);
});

test('what cannot be removed is tried again at the next start', async () => {
  const { database } = await openTestHost();
  const folder = temporaryFolder();
  // A folder is not removed as a file is.
  mkdirSync(join(folder, 'left'));
  const passing = new PassingFiles(database, 'document', folder);
  passing.note([join(folder, 'left')]);
  await passing.removeLeft(() => false);
  expect(existsSync(join(folder, 'left'))).toBe(true);
  expect(database.all(z.object({ path: z.string() }), 'SELECT path FROM passing_files')).toEqual([{ path: 'left' }]);
});
