import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { defaultSettings } from '../contract/entities.ts';
import { openHost } from '../host.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost } from '../testing/openTestHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { dataFolderPath } from './dataFolder.ts';
import { CheckNote } from './checkNote.ts';
import { Database } from './database.ts';
import { InstanceLock } from './instanceLock.ts';
import { migrations } from './migrations.ts';
import { SettingsStore } from './settingsStore.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('the data folder is the option, the variable or the platform’s place, in this order', () => {
  expect(dataFolderPath('/a', { LONGLEAF_DATA: '/b' })).toBe('/a');
  expect(dataFolderPath(undefined, { LONGLEAF_DATA: '/b' })).toBe('/b');
  if (process.platform === 'linux') expect(dataFolderPath(undefined, { XDG_DATA_HOME: '/c' })).toBe('/c/longleaf');
});

test.skipIf(process.platform === 'win32')('everything in the data folder is its owner’s alone', async () => {
  const host = await openTestHost();
  chmodSync(host.folder.root, 0o755);
  await host.close();
  const again = await openTestHost({ dataFolder: host.folder.root });
  await again.documents.addText('note.txt', 'some text');
  expect(mode(again.folder.root)).toBe('700');
  for (const folder of [again.folder.documents, again.folder.models, again.folder.backups, again.folder.staging]) expect(mode(folder)).toBe('700');
  for (const name of readdirSync(again.folder.root)) {
    const path = join(again.folder.root, name);
    if (statSync(path).isFile()) expect(`${name} ${mode(path)}`).toBe(`${name} 600`);
  }
  for (const name of readdirSync(again.folder.documents)) expect(mode(join(again.folder.documents, name))).toBe('600');
});

test('a second instance on one data folder is refused, and says which process has it', async () => {
  const host = await openTestHost();
  const failure = await failureOf(() => openHost({ dataFolder: host.folder.root }));
  expect(failure.code).toBe('data-folder-in-use');
  expect(failure.message).toMatch(
    new RegExp(`^Another Longleaf \\(process ${process.pid}, running since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\\) is using the data folder ${host.folder.root}\\.$`),
  );
  expect(failure.remedy).toBe('Use the Longleaf that is already open, or close it first; --data FOLDER starts one with its own folder.');
});

test('the lock of a killed process does not block', async () => {
  const folder = temporaryFolder();
  const lockPath = join(folder, 'longleaf.lock');
  const module = pathToFileURL(join(import.meta.dirname, 'instanceLock.ts')).href;
  const script = `const { InstanceLock } = await import(${JSON.stringify(module)});
    InstanceLock.acquire(${JSON.stringify(lockPath)}, ${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const failure = await failureOf(() => InstanceLock.acquire(lockPath, folder));
  expect(failure.message).toContain(`process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  InstanceLock.acquire(lockPath, folder).release();
});

test('a holder that says it is ending is waited for, any other is not', async () => {
  const folder = temporaryFolder();
  const lockPath = join(folder, 'longleaf.lock');
  const holder = InstanceLock.acquire(lockPath, folder);
  expect((await failureOf(() => InstanceLock.acquireSoon(lockPath, folder))).code).toBe('data-folder-in-use');
  holder.noteEnding();
  const next = InstanceLock.acquireSoon(lockPath, folder);
  setTimeout(() => holder.release(), 200);
  (await next).release();
});

test('an older schema is backed up before it is migrated', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'longleaf.sqlite');
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  const first = Database.open(path, backups, ['CREATE TABLE note (text TEXT)']);
  first.run('INSERT INTO note VALUES (?)', 'kept');
  first.close();
  expect(readdirSync(backups)).toEqual([]);

  const second = Database.open(path, backups, ['CREATE TABLE note (text TEXT)', "ALTER TABLE note ADD COLUMN colour TEXT DEFAULT 'green'"]);
  expect(second.all(z.object({ text: z.string(), colour: z.string() }), 'SELECT * FROM note')).toEqual([{ text: 'kept', colour: 'green' }]);
  second.close();
  const [backup = ''] = readdirSync(backups);
  expect(backup).toMatch(/^longleaf-\d{4}-\d\d-\d\dT.*-schema-1\.sqlite$/);
  const old = Database.open(join(backups, backup), backups, ['CREATE TABLE note (text TEXT)']);
  expect(old.all(z.object({ text: z.string() }), 'SELECT * FROM note')).toEqual([{ text: 'kept' }]);
  old.close();
});

test('a failing migration leaves the database as it was', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'longleaf.sqlite');
  Database.open(path, folder, ['CREATE TABLE note (text TEXT)']).close();
  await failureOf(() => Database.open(path, folder, ['', 'CREATE TABLE half (a TEXT); SELECT nonsense']));
  const again = Database.open(path, folder, ['CREATE TABLE note (text TEXT)']);
  expect(again.all(z.object({ name: z.string() }), "SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([{ name: 'note' }]);
  again.close();
});

test('a database of a newer version is refused', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'longleaf.sqlite');
  Database.open(path, folder, ['CREATE TABLE a (b TEXT)', 'CREATE TABLE c (d TEXT)']).close();
  expect(await failureOf(() => Database.open(path, folder, ['CREATE TABLE a (b TEXT)']))).toEqual({
    code: 'database-newer',
    message: 'The data folder was written by a newer Longleaf (schema 2; this one knows 1).',
    remedy: 'Open it with the newer version, or start this one on another folder with --data FOLDER.',
  });
});

test('a damaged database is a clear failure that names the newest backup', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'longleaf.sqlite');
  const backups = join(folder, 'backups');
  mkdirSync(backups);
  writeFileSync(path, 'this is not a database, whatever its name says');
  const failure = await failureOf(() => Database.open(path, backups));
  expect(failure.code).toBe('database-damaged');
  expect(failure.message).toBe(`The database ${path} is damaged (file is not a database).`);
  writeFileSync(join(backups, 'longleaf-2026-01-01.sqlite'), '');
  expect((await failureOf(() => Database.open(path, backups))).remedy).toBe(
    `“longleaf restore” puts the backup ${join(backups, 'longleaf-2026-01-01.sqlite')} in its place and keeps the damaged one beside it.`,
  );
});

test('a page that was overwritten is found at start', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'longleaf.sqlite');
  const database = Database.open(path, folder);
  for (let index = 0; index < 500; index += 1) {
    database.run('INSERT INTO outbound_requests (at_ms, purpose, address) VALUES (?, ?, ?)', index, 'x'.repeat(200), 'y');
  }
  database.close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, bytes.length - 3 * 4096, bytes.length - 4096);
  writeFileSync(path, bytes);
  expect((await failureOf(() => Database.open(path, folder))).code).toBe('database-damaged');
});

test('settings survive a restart; an unreadable one falls back to the defaults', () => {
  const folder = temporaryFolder();
  const database = Database.open(join(folder, 'longleaf.sqlite'), folder);
  const settings = new SettingsStore(database);
  expect(settings.read()).toEqual(defaultSettings);
  settings.update({ theme: 'dark', offline: true });
  expect(new SettingsStore(database).read()).toEqual({ ...defaultSettings, theme: 'dark', offline: true });
  database.run("UPDATE settings SET value = '\"purple\"' WHERE name = 'theme'");
  expect(settings.read()).toEqual({ ...defaultSettings, offline: true });
  database.close();
});

test('a database that was left in order is not looked through again, any other is', () => {
  const path = join(temporaryFolder(), 'longleaf.sqlite');
  const backups = temporaryFolder();
  const holds = (now?: number) => new CheckNote(path).holds(now);
  const first = Database.open(path, backups);
  expect(holds()).toBe(false);
  first.close();
  expect(holds()).toBe(true);
  expect(holds(Date.now() + 8 * 86_400_000)).toBe(false);
  const { mtimeMs } = statSync(path);
  utimesSync(path, new Date(), new Date(mtimeMs + 5));
  expect(holds()).toBe(false);
  Database.open(path, backups).close();
  expect(holds()).toBe(true);
});

test('the search of an older database is filled when it is brought up to date, after a backup with its date', () => {
  const path = join(temporaryFolder(), 'longleaf.sqlite');
  const backups = temporaryFolder();
  const before = Database.open(path, backups, migrations.slice(0, 3));
  before.run("INSERT INTO conversations (id, title, title_is_automatic, created_at_ms, updated_at_ms, system_prompt, sampling) VALUES ('c', 'Whales', 0, 1, 1, '', '{}')");
  before.run("INSERT INTO messages (id, conversation_id, role, text, state, created_at_ms) VALUES ('m', 'c', 'user', 'Who is Queequeg?', 'complete', 1)");
  before.close();
  const after = Database.open(path, backups);
  const found = (index: string, word: string) => after.all(z.object({ rowid: z.number() }), `SELECT rowid FROM ${index} WHERE ${index} MATCH ?`, word).length;
  expect([found('title_index', 'whales'), found('message_index', 'queequeg'), found('message_index', 'ahab')]).toEqual([1, 1, 0]);
  after.close();
  const [name = ''] = readdirSync(backups);
  expect(name).toMatch(/^longleaf-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-schema-3\.sqlite$/);
  const backup = Database.open(join(backups, name), temporaryFolder(), migrations.slice(0, 3));
  expect(backup.all(z.object({ text: z.string() }), 'SELECT text FROM messages')).toEqual([{ text: 'Who is Queequeg?' }]);
  backup.close();
});
