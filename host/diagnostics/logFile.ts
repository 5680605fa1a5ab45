/** The log: what happened and when, for whoever looks for the cause of a fault. Private, small, without names. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Redaction } from './redaction.ts';

const mostBytes = 512 * 1024;
const fileName = 'longleaf.log';
const olderName = 'longleaf.1.log';

export class LogFile {
  readonly #folder: string;
  readonly #redaction: Redaction;

  constructor(folder: string, redaction: Redaction) {
    this.#folder = folder;
    this.#redaction = redaction;
  }

  /** Never throws: a full disk must not end what is told of. */
  note(source: 'host' | 'worker', event: string, detail = ''): void {
    const text = this.#redaction.apply(detail).replaceAll('\n', '\n    ').trim();
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const path = join(this.#folder, fileName);
      if (existsSync(path) && statSync(path).size > mostBytes) renameSync(path, join(this.#folder, olderName));
      appendFileSync(path, `${new Date().toISOString()} ${source} ${event}${text === '' ? '' : ` ${text}`}\n`, { mode: 0o600 });
    } catch {
      // There is nowhere to say so.
    }
  }

  /** The last lines, oldest first. */
  read(mostLines: number): string[] {
    const lines = [olderName, fileName].flatMap((name) => {
      const path = join(this.#folder, name);
      return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    });
    // Something may have got a name since that it had not when it was written down.
    return this.#redaction.applyToLines(lines.slice(-mostLines));
  }
}
