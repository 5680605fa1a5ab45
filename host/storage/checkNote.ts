/**
 * Looking through a whole database takes a second for every hundred megabytes, so at start it is done only where there
 * is reason to: after an end that was not orderly, when the file is not as it was left, and once a week.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

const note = z.object({ sizeBytes: z.number(), modifiedMs: z.number(), checkedAtMs: z.number() });
const weekMs = 7 * 86_400_000;

export class CheckNote {
  readonly #database: string;
  #checkedAtMs = 0;

  constructor(database: string) {
    this.#database = database;
  }

  /** Whether the file is as an orderly end has left it, and was looked through not long before. */
  holds(now = Date.now()): boolean {
    // What is in the log was not written back: the last end was not orderly.
    const log = `${this.#database}-wal`;
    if (existsSync(log) && statSync(log).size > 0) return false;
    const read = this.#read();
    if (!read) return false;
    const { size, mtimeMs } = statSync(this.#database);
    this.#checkedAtMs = read.checkedAtMs;
    return read.sizeBytes === size && read.modifiedMs === mtimeMs && now - read.checkedAtMs < weekMs;
  }

  /** It was looked through now. */
  begin(now = Date.now()): void {
    this.#checkedAtMs = now;
  }

  /** Once the database is closed. */
  keep(): void {
    try {
      const { size, mtimeMs } = statSync(this.#database);
      writeFileSync(this.#path, JSON.stringify({ sizeBytes: size, modifiedMs: mtimeMs, checkedAtMs: this.#checkedAtMs }), { mode: 0o600 });
    } catch {
      // Without the note the next start looks again.
    }
  }

  get #path(): string {
    return `${this.#database}.checked`;
  }

  #read(): z.infer<typeof note> | null {
    try {
      return note.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return null;
    }
  }
}
