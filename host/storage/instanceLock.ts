/**
 * One instance a data folder. The lock is the operating system's own file lock, held through SQLite: it
 * goes when the process goes, however it ends, so there is no stale lock to tell from a live one. The
 * note beside it only says who holds it.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { HostError } from '../errors.ts';

const holderNote = z.object({ pid: z.number().int(), startedAt: z.string() });

export class InstanceLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws `data-folder-in-use` when another process, or another host in this one, has the folder. */
  static acquire(lockPath: string, dataFolder: string): InstanceLock {
    closeSync(openSync(lockPath, 'a', 0o600));
    const database = new DatabaseSync(lockPath, { timeout: 0 });
    try {
      // Nothing is ever written, so the transaction can stay open for the process's whole life.
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      throw new HostError(
        'data-folder-in-use',
        `Another Longleaf${describeHolder(lockPath)} is using the data folder ${dataFolder}.`,
        'Use the Longleaf that is already open, or close it first; --data FOLDER starts one with its own folder.',
        { cause: error },
      );
    }
    const note = { pid: process.pid, startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString() };
    writeFileSync(notePath(lockPath), JSON.stringify(note), { mode: 0o600 });
    return new InstanceLock(database);
  }

  release(): void {
    this.#database.close();
  }
}

function notePath(lockPath: string): string {
  return `${lockPath}.json`;
}

function describeHolder(lockPath: string): string {
  try {
    const { pid, startedAt } = holderNote.parse(JSON.parse(readFileSync(notePath(lockPath), 'utf8')));
    return ` (process ${pid}, running since ${startedAt.slice(0, 16).replace('T', ' ')} UTC)`;
  } catch {
    return '';
  }
}
