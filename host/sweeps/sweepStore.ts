/** Sweeps in the database: after each window what it gave, so that a kill costs at most one. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Sweep, sweep } from '../contract/sweep.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';

const row = z.object({ content: z.string() });

export class SweepStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** In the order in which they were asked for. */
  list(): Sweep[] {
    return this.#database.all(row, 'SELECT content FROM sweeps ORDER BY sequence').map(({ content }) => sweep.parse(JSON.parse(content)));
  }

  get(sweepId: string): Sweep {
    const found = this.list().find(({ id }) => id === sweepId);
    if (!found) throw new HostError('sweep-not-found', 'This search of a document is no longer there.', 'Start it again.');
    return found;
  }

  add(asked: Omit<Sweep, 'id' | 'createdAtMs'>): Sweep {
    const added: Sweep = { ...asked, id: randomUUID(), createdAtMs: Date.now() };
    this.#database.run('INSERT INTO sweeps (id, document_id, content) VALUES (?, ?, ?)', added.id, added.documentId, JSON.stringify(added));
    return added;
  }

  save(changed: Sweep): void {
    this.#database.run('UPDATE sweeps SET content = ? WHERE id = ?', JSON.stringify(changed), changed.id);
  }

  remove(sweepId: string): void {
    this.#database.run('DELETE FROM sweeps WHERE id = ?', sweepId);
  }
}
