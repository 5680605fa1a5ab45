/**
 * Copies of the database: one a day, one before each change of its schema. The newest few are kept. What a person has
 * deleted shall be gone: after a deletion the copies are made anew, and a mark says so until that is done.
 */
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { HostError } from '../errors.ts';

const kept = 5;
const freshMs = 24 * 3_600_000;
const mark = 'outdated';

/** Oldest first: the names begin with their dates. */
export function listBackups(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sqlite'))
    .sort();
}

/** Copies an open database; the copy appears under its name when it is whole. */
export function backUp(sqlite: DatabaseSync, folder: string, schemaVersion: number): string {
  const moment = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  const target = join(folder, `longleaf-${moment}-schema-${schemaVersion}.sqlite`);
  const growing = `${target}.new`;
  rmSync(growing, { force: true });
  closeSync(openSync(growing, 'w', 0o600));
  sqlite.prepare('VACUUM INTO ?').run(growing);
  renameSync(growing, target);
  for (const name of listBackups(folder).slice(0, -kept)) rmSync(join(folder, name));
  return target;
}

/** Whether a copy is due: the newest is a day old, or holds what has been deleted since. A clock that went back counts as a day. */
export function isBackupDue(folder: string, nowMs = Date.now()): boolean {
  const newest = listBackups(folder).at(-1);
  if (newest === undefined || existsSync(join(folder, mark))) return true;
  return Math.abs(nowMs - statSync(join(folder, newest)).mtimeMs) >= freshMs;
}

/** Something was deleted that the copies still hold. */
export function markBackupsOutdated(folder: string): void {
  if (listBackups(folder).length > 0) writeFileSync(join(folder, mark), '', { mode: 0o600 });
}

/** Makes a copy; outdated ones go. */
export function renewBackups(sqlite: DatabaseSync, folder: string, schemaVersion: number): void {
  const outdated = existsSync(join(folder, mark));
  const before = listBackups(folder);
  const made = basename(backUp(sqlite, folder, schemaVersion));
  if (!outdated) return;
  for (const name of before) if (name !== made) rmSync(join(folder, name), { force: true });
  rmSync(join(folder, mark), { force: true });
}

/** What a kill has left of a copy that was being made: it holds what a person may have deleted since. Nobody may be making one. */
export function removeUnfinishedCopies(path: string, folder: string): void {
  const unfinished = readdirSync(folder).filter((name) => name.includes('.sqlite.new'));
  for (const left of [...unfinished.map((name) => join(folder, name)), `${path}.restored`, `${path}.restored-journal`]) rmSync(left, { force: true });
}

export interface Restored {
  /** The backup that is the database now. */
  backup: string;
  /** Where the damaged database lies now. */
  aside: string;
}

/** Puts the newest sound copy in the place of a damaged database, which is kept beside it. */
export function restoreBackup(path: string, folder: string): Restored {
  const backup = listBackups(folder).findLast((name) => isSound(join(folder, name)));
  if (backup === undefined) {
    throw new HostError('database-damaged', `There is no sound backup in ${folder}.`, 'Move the database away to start with an empty one, and keep it: sqlite3 may recover its messages with “.recover”.');
  }
  const source = new DatabaseSync(join(folder, backup), { readOnly: true });
  const incoming = `${path}.restored`;
  try {
    rmSync(incoming, { force: true });
    closeSync(openSync(incoming, 'w', 0o600));
    source.prepare('VACUUM INTO ?').run(incoming);
  } finally {
    source.close();
  }
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}`;
  // Its side files belong to it: left where they are, they would be taken for the restored one's.
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  if (existsSync(path)) renameSync(path, aside);
  renameSync(incoming, path);
  return { backup, aside };
}

const checkRow = z.object({ integrity_check: z.string() });

function isSound(path: string): boolean {
  try {
    const sqlite = new DatabaseSync(path, { readOnly: true });
    try {
      return checkRow.parse(sqlite.prepare('PRAGMA integrity_check(1)').get()).integrity_check === 'ok';
    } finally {
      sqlite.close();
    }
  } catch {
    return false;
  }
}
