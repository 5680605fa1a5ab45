/**
 * Files on their way into a folder or out of it, whose row in the database comes after them or goes before them. They are
 * noted first: a kill in between leaves nothing that belongs to nothing, because the next start removes what is noted.
 */
import { rm } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import * as z from 'zod';
import type { Database } from './database.ts';

export class PassingFiles {
  readonly #database: Database;
  readonly #kind: 'document' | 'model';
  readonly #folder: string;

  /** `folder`: may be moved as a whole; what lies elsewhere is noted by its whole path. */
  constructor(database: Database, kind: 'document' | 'model', folder: string) {
    this.#database = database;
    this.#kind = kind;
    this.#folder = folder;
  }

  note(paths: readonly string[]): void {
    for (const path of paths) this.#database.run('INSERT OR IGNORE INTO passing_files (kind, path) VALUES (?, ?)', this.#kind, this.#stored(path));
  }

  /** They belong to a row now, or are gone. */
  forget(paths: readonly string[]): void {
    for (const path of paths) this.#database.run('DELETE FROM passing_files WHERE kind = ? AND path = ?', this.#kind, this.#stored(path));
  }

  /** Removes what a kill has left on its way; for a start, before anything else is done. Nothing that `belongs` to a row. */
  async removeLeft(belongs: (path: string) => boolean): Promise<void> {
    const left = this.#database.all(z.object({ path: z.string() }), 'SELECT path FROM passing_files WHERE kind = ?', this.#kind);
    const paths = left.map(({ path }) => (isAbsolute(path) ? path : join(this.#folder, path)));
    const settled: string[] = [];
    for (const path of paths) {
      // What cannot be removed now is tried again at the start after this one.
      const isGone = belongs(path) || (await rm(path, { force: true }).then(() => true, () => false));
      if (isGone) settled.push(path);
    }
    if (settled.length > 0) this.#database.transaction(() => this.forget(settled));
  }

  #stored(path: string): string {
    const inside = relative(this.#folder, path);
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  }
}
