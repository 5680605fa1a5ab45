import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openHost } from '../host.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { isBackupDue, listBackups, markBackupsOutdated, restoreBackup } from './backups.ts';
import { Database } from './database.ts';

const steps = ['CREATE TABLE note (text TEXT)'];
const noteRow = z.object({ text: z.string() });
const notesOf = (database: Database) => database.all(noteRow, 'SELECT text FROM note').map(({ text }) => text);

function openNotes() {
  const folder = temporaryFolder();
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  const path = join(folder, 'longleaf.sqlite');
  return { path, backups, database: Database.open(path, backups, steps) };
}

test('a copy is made once a day; a clock that jumps makes one sooner, never none', () => {
  const { database, backups } = openNotes();
  database.run('INSERT INTO note VALUES (?)', 'kept');
  database.backUpIfDue(backups);
  database.backUpIfDue(backups);
  const [name = ''] = listBackups(backups);
  expect(listBackups(backups)).toHaveLength(1);
  const nowMs = Date.now();
  expect(isBackupDue(backups, nowMs)).toBe(false);
  expect(isBackupDue(backups, nowMs + 25 * 3_600_000)).toBe(true);
  // The clock went back by a year after the copy was made.
  utimesSync(join(backups, name), nowMs / 1000 + 31e6, nowMs / 1000 + 31e6);
  expect(isBackupDue(backups, nowMs)).toBe(true);
  database.close();
});

test('what was deleted is in no copy after the next one', () => {
  const { database, backups } = openNotes();
  const text = 'a secret that was deleted';
  database.run('INSERT INTO note VALUES (?)', text);
  database.backUpIfDue(backups);
  database.run('DELETE FROM note');
  markBackupsOutdated(backups);
  database.backUpIfDue(backups);
  const copies = listBackups(backups).map((name) => readFileSync(join(backups, name)));
  expect(copies).toHaveLength(1);
  expect(copies.some((bytes) => bytes.includes(text))).toBe(false);
  expect(isBackupDue(backups)).toBe(false);
  database.close();
});

test('a copy that a kill has left unfinished goes at the next start: it may hold what was deleted since', async () => {
  const { folder, close } = await openTestHost();
  await close();
  const left = [join(folder.backups, 'longleaf-2026-01-01T00-00-00-schema-4.sqlite.new'), join(folder.backups, 'longleaf-2026-01-01T00-00-00-schema-4.sqlite.new-journal'), `${folder.database}.restored`];
  for (const path of left) writeFileSync(path, 'half of a copy');
  await openTestHost({ dataFolder: folder.root });
  expect(left.filter((path) => existsSync(path))).toEqual([]);
});

test('deleted rows are overwritten in the database itself', () => {
  const { database, path } = openNotes();
  const text = 'another secret that was deleted';
  database.run('INSERT INTO note VALUES (?)', text);
  database.run('DELETE FROM note');
  database.close();
  expect(readFileSync(path).includes(text)).toBe(false);
});

test('a damaged database is replaced by the newest sound copy, and kept', () => {
  const { database, path, backups } = openNotes();
  database.run('INSERT INTO note VALUES (?)', 'in the backup');
  database.backUpIfDue(backups);
  database.run('INSERT INTO note VALUES (?)', 'written since');
  database.close();
  writeFileSync(join(backups, 'longleaf-9999-torn.sqlite'), 'a copy that was cut short');
  writeFileSync(path, 'overwritten by something else');
  const { backup, aside } = restoreBackup(path, backups);
  expect(backup).toMatch(/^longleaf-\d{4}-.*-schema-1\.sqlite$/);
  expect(readFileSync(aside, 'utf8')).toBe('overwritten by something else');
  const again = Database.open(path, backups, steps);
  expect(notesOf(again)).toEqual(['in the backup']);
  again.close();
});

test('without a sound copy nothing is touched', async () => {
  const { database, path, backups } = openNotes();
  database.close();
  writeFileSync(path, 'damaged');
  expect((await failureOf(() => restoreBackup(path, backups))).code).toBe('database-damaged');
  expect(readFileSync(path, 'utf8')).toBe('damaged');
});

test('a host is opened again on the backup of its chats', async () => {
  const host = await openTestHost();
  const { id } = host.conversations.create({ title: 'Kept' }, { systemPrompt: '', sampling: host.settings.read().defaultSampling });
  host.database.backUpIfDue(host.folder.backups);
  await host.close();
  writeFileSync(host.folder.database, 'damaged');
  const failure = await failureOf(() => openHost({ dataFolder: host.folder.root }));
  expect(failure).toMatchObject({ code: 'database-damaged' });
  expect(failure.remedy).toContain('longleaf restore');
  const again = await openHost({ dataFolder: host.folder.root, restoreBackup: true });
  expect(again.conversations.get(id).title).toBe('Kept');
  await again.close();
  expect(readdirSync(host.folder.root).filter((name) => name.includes('damaged'))).toHaveLength(1);
});
