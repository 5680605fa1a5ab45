/**
 * One instance a data folder. The lock is the operating system's own file lock, held through SQLite: it
 * goes when the process goes, however it ends, so there is no stale lock to tell from a live one. The
 * note beside it only says who holds it.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { HostError, toFailure } from '../errors.ts';
import { sqlite, sqliteCode, storageFailure } from './storageFailure.ts';

/** `ending`: it is on its way out, and lets go within seconds. `besideWindow`: it ends with the desktop app's window. */
const holderNote = z.object({ pid: z.number().int(), startedAt: z.string(), ending: z.boolean().optional(), besideWindow: z.boolean().optional() });

/** An orderly end takes at most five seconds. */
const endsWithinMs = 6000;
const askEveryMs = 50;

export class InstanceLock {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #besideWindow: boolean;

  private constructor(database: DatabaseSync, path: string, besideWindow: boolean) {
    this.#database = database;
    this.#path = path;
    this.#besideWindow = besideWindow;
  }

  /**
   * As `acquire`, but waits for a holder that is ending, so that a person may start Longleaf again at once. There is one
   * window: for a host `besideWindow`, another such host is one that has lost its own.
   */
  static async acquireSoon(lockPath: string, dataFolder: string, besideWindow = false): Promise<InstanceLock> {
    const giveUpAtMs = performance.now() + endsWithinMs;
    for (;;) {
      try {
        return InstanceLock.acquire(lockPath, dataFolder, besideWindow);
      } catch (error) {
        const note = readNote(lockPath);
        const endsSoon = note?.ending === true || (besideWindow && note?.besideWindow === true);
        if (toFailure(error).code !== 'data-folder-in-use' || !endsSoon || performance.now() > giveUpAtMs) throw error;
      }
      await pause(askEveryMs);
    }
  }

  /**
   * @throws `data-folder-in-use` when another process, or another host in this one, has the folder; `disk-full` and
   * `data-folder-unusable` when nobody can have it.
   */
  static acquire(lockPath: string, dataFolder: string, besideWindow = false): InstanceLock {
    let database: DatabaseSync | undefined;
    try {
      closeSync(openSync(lockPath, 'a', 0o600));
      database = new DatabaseSync(lockPath, { timeout: 0 });
      // Nothing is ever written, so the transaction can stay open for the process's whole life.
      database.exec('BEGIN EXCLUSIVE');
      writeNote(lockPath, { besideWindow });
      return new InstanceLock(database, lockPath, besideWindow);
    } catch (error) {
      database?.close();
      if (sqliteCode(error) !== sqlite.busy) throw storageFailure(dataFolder, error) ?? error;
      throw new HostError(
        'data-folder-in-use',
        `Another Longleaf${describeHolder(lockPath)} is using the data folder ${dataFolder}.`,
        'Use the Longleaf that is already open, or close it first; --data FOLDER starts one with its own folder.',
        { cause: error },
      );
    }
  }

  /** Tells whoever wants the folder that it is free soon. */
  noteEnding(): void {
    try {
      writeNote(this.#path, { besideWindow: this.#besideWindow, ending: true });
    } catch {
      // A disk that is full or gone: then they are told that it is in use.
    }
  }

  release(): void {
    this.#database.close();
  }
}

function notePath(lockPath: string): string {
  return `${lockPath}.json`;
}

function writeNote(lockPath: string, state: { besideWindow: boolean; ending?: true }): void {
  const note = { pid: process.pid, startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(), ...state };
  writeFileSync(notePath(lockPath), JSON.stringify(note), { mode: 0o600 });
}

function readNote(lockPath: string): z.infer<typeof holderNote> | null {
  try {
    return holderNote.parse(JSON.parse(readFileSync(notePath(lockPath), 'utf8')));
  } catch {
    return null;
  }
}

function describeHolder(lockPath: string): string {
  const note = readNote(lockPath);
  return note ? ` (process ${note.pid}, running since ${note.startedAt.slice(0, 16).replace('T', ' ')} UTC)` : '';
}
