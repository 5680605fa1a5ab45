/** Readings in the database: those that wait, are paused or failed. What is being read is `queued` here, so that it goes on after a kill. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { failure, type Reading, reading } from '../contract/entities.ts';
import type { Database } from '../storage/database.ts';

const readingRow = z.object({
  id: z.string(),
  document_id: z.string(),
  model_id: z.string(),
  state: z.string(),
  done_tokens: z.number(),
  total_tokens: z.number(),
  failure: z.string().nullable(),
});
const select = 'SELECT id, document_id, model_id, state, done_tokens, total_tokens, failure FROM readings';

export class ReadingStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** In the order in which they were asked for. */
  list(): Reading[] {
    return this.#database.all(readingRow, `${select} ORDER BY sequence`).map(toReading);
  }

  find(documentId: string, modelId: string): Reading | undefined {
    const row = this.#database.first(readingRow, `${select} WHERE document_id = ? AND model_id = ?`, documentId, modelId);
    return row && toReading(row);
  }

  add(documentId: string, modelId: string, totalTokens: number): Reading {
    const id = randomUUID();
    this.#database.run(
      "INSERT INTO readings (id, document_id, model_id, state, done_tokens, total_tokens, failure) VALUES (?, ?, ?, 'queued', 0, ?, NULL)",
      id,
      documentId,
      modelId,
      totalTokens,
    );
    return { id, documentId, modelId, state: 'queued', doneTokens: 0, totalTokens, tokensPerSecond: null, secondsLeft: null, failure: null };
  }

  save({ id, state, doneTokens, totalTokens, failure: why }: Reading): void {
    this.#database.run(
      'UPDATE readings SET state = ?, done_tokens = ?, total_tokens = ?, failure = ? WHERE id = ?',
      state === 'paused' || state === 'failed' ? state : 'queued',
      doneTokens,
      totalTokens,
      why && JSON.stringify(why),
      id,
    );
  }

  remove(readingId: string): void {
    this.#database.run('DELETE FROM readings WHERE id = ?', readingId);
  }
}

function toReading(row: z.infer<typeof readingRow>): Reading {
  return reading.parse({
    id: row.id,
    documentId: row.document_id,
    modelId: row.model_id,
    state: row.state,
    doneTokens: row.done_tokens,
    totalTokens: row.total_tokens,
    tokensPerSecond: null,
    secondsLeft: null,
    failure: row.failure === null ? null : failure.parse(JSON.parse(row.failure)),
  });
}
