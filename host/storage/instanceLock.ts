/**
 * One instance a data folder. The lock is the operating system's own file lock, held through SQLite: it
 * goes when the process goes, however it ends, so there is no stale lock to tell from a live one. The
 * note beside it only says who holds it.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { HostError, toFailure } from '../errors.ts';

/** `ending`: it is on its way out, and lets go within seconds. */
const holderNote = z.object({ pid: z.number().int(), startedAt: z.string(), ending: z.boolean().optional() });

/** An orderly end takes at most five seconds. */
const endsWithinMs = 6000;
const askEveryMs = 50;

export class InstanceLock {
  readonly #database: DatabaseSync;
  readonly #path: string;

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  /** As `acquire`, but waits for a holder that is ending: whoever starts Longleaf again after an accident need not. */
  static async acquireSoon(lockPath: string, dataFolder: string): Promise<InstanceLock> {
    const giveUpAtMs = performance.now() + endsWithinMs;
    for (;;) {
      try {
        return InstanceLock.acquire(lockPath, dataFolder);
      } catch (error) {
        if (toFailure(error).code !== 'data-folder-in-use' || !readNote(lockPath)?.ending || performance.now() > giveUpAtMs) throw error;
      }
      await pause(askEveryMs);
    }
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
    writeNote(lockPath, false);
    return new InstanceLock(database, lockPath);
  }

  /** Tells whoever wants the folder that it is free soon. */
  noteEnding(): void {
    try {
      writeNote(this.#path, true);
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

function writeNote(lockPath: string, ending: boolean): void {
  const note = { pid: process.pid, startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(), ...(ending && { ending }) };
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
