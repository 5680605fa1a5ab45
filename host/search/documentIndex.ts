/** Puts the words of documents into the search, a piece at a time, whenever one is there that is not in it yet. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as z from 'zod';
import { toFailure } from '../errors.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import type { Database } from '../storage/database.ts';
import { passagesOf } from './passages.ts';
import { searchWords } from './words.ts';

/** So much is read and entered at once: a few milliseconds. */
const pieceCharacters = 64_000;

const waitingRow = z.object({ id: z.string(), characters: z.number(), done: z.number() });
const waiting = `FROM documents d LEFT JOIN indexed_documents i ON i.document_id = d.id WHERE coalesce(i.characters, -1) < d.characters`;

export class DocumentIndex {
  readonly #database: Database;
  readonly #documents: DocumentLibrary;
  #running: Promise<void> | null = null;
  #closing = false;

  constructor(database: Database, documents: DocumentLibrary) {
    this.#database = database;
    this.#documents = documents;
  }

  waiting(): number {
    return this.#database.first(z.object({ waiting: z.number() }), `SELECT count(*) AS waiting ${waiting}`)?.waiting ?? 0;
  }

  /** Resolves when every document is in the search, or cannot be read; never rejects. */
  catchUp(): Promise<void> {
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const failed = new Set<string>();
    while (!this.#closing) {
      const next = this.#database.all(waitingRow, `SELECT d.id, d.characters, coalesce(i.characters, 0) AS done ${waiting} ORDER BY d.added_at_ms DESC`).find(({ id }) => !failed.has(id));
      if (!next) return;
      try {
        await this.#add(next.id, next.characters, next.done);
      } catch (error) {
        // Its file is gone, or it was removed meanwhile: the others are still worth finding.
        failed.add(next.id);
        if (toFailure(error).code === 'disk-full') return;
      }
      await nextTurn();
    }
  }

  async #add(id: string, characters: number, done: number): Promise<void> {
    const wanted = Math.min(characters, done + pieceCharacters);
    const { text } = await this.#documents.text(id, done, wanted);
    const passages = passagesOf(text, wanted === characters);
    const end = passages.at(-1)?.end ?? text.length;
    this.#database.transaction(() => {
      for (const passage of passages) {
        const row = this.#database.first(
          z.object({ sequence: z.number() }),
          'INSERT INTO document_passages (document_id, first_character, end_character) VALUES (?, ?, ?) RETURNING sequence',
          id,
          done + passage.start,
          done + passage.end,
        );
        this.#database.run('INSERT INTO passage_index (rowid, words) VALUES (?, ?)', row?.sequence ?? 0, searchWords(text.slice(passage.start, passage.end)));
      }
      const upTo = wanted === characters ? characters : done + end;
      this.#database.run('INSERT INTO indexed_documents (document_id, characters) VALUES (?, ?) ON CONFLICT (document_id) DO UPDATE SET characters = excluded.characters', id, upTo);
    });
  }
}
