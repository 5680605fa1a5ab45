/** The documents a person has added: their text in a file named by id, the rest in the database. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type DocumentRecord, documentRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { formatCount } from '../wording.ts';
import { type ExtractedText, extractFile, extractPasted } from './extractText.ts';
import { readTextRange } from './readRange.ts';

/** What one call may ask for; the reader fetches pages, never a book. */
const maximumRangeUnits = 2_000_000;

const documentRow = z.object({
  id: z.string(),
  name: z.string(),
  format: z.string(),
  size_bytes: z.number(),
  characters: z.number(),
  sha256: z.string(),
  notices: z.string(),
  added_at_ms: z.number(),
});
const columns = 'id, name, format, size_bytes, characters, sha256, notices, added_at_ms';
const checkpointList = z.array(z.tuple([z.number(), z.number()]));

export class DocumentLibrary {
  readonly #database: Database;
  readonly #folder: string;

  constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  list(): DocumentRecord[] {
    return this.#database.all(documentRow, `SELECT ${columns} FROM documents ORDER BY added_at_ms DESC, rowid DESC`).map(toRecord);
  }

  get(documentId: string): DocumentRecord {
    const row = this.#database.first(documentRow, `SELECT ${columns} FROM documents WHERE id = ?`, documentId);
    if (!row) throw documentNotFound();
    return toRecord(row);
  }

  textPath(documentId: string): string {
    return join(this.#folder, `${documentId}.txt`);
  }

  addFile(path: string, name: string): Promise<DocumentRecord> {
    return this.#add(name, (target) => extractFile(path, name, target));
  }

  addText(name: string, text: string): Promise<DocumentRecord> {
    return this.#add(name, (target) => extractPasted(text, name, target));
  }

  async text(documentId: string, start: number, end: number): Promise<{ text: string; characters: number }> {
    if (end - start > maximumRangeUnits) {
      throw new HostError(
        'range-too-long',
        `${formatCount(end - start)} characters were asked for at once; at most ${formatCount(maximumRangeUnits)} are given.`,
        'Ask for a shorter range.',
      );
    }
    const { characters } = this.get(documentId);
    const row = this.#database.first(z.object({ checkpoints: z.string() }), 'SELECT checkpoints FROM documents WHERE id = ?', documentId);
    const checkpoints = checkpointList.parse(JSON.parse(row?.checkpoints ?? '[]'));
    return { text: await readTextRange(this.textPath(documentId), checkpoints, characters, start, end), characters };
  }

  knownTokens(documentId: string, modelId: string): number | undefined {
    return this.#database.first(
      z.object({ tokens: z.number() }),
      'SELECT tokens FROM document_tokens WHERE document_id = ? AND model_id = ?',
      documentId,
      modelId,
    )?.tokens;
  }

  rememberTokens(documentId: string, modelId: string, tokens: number): void {
    this.#database.run('INSERT OR REPLACE INTO document_tokens (document_id, model_id, tokens) VALUES (?, ?, ?)', documentId, modelId, tokens);
  }

  async remove(documentId: string): Promise<void> {
    if (this.#database.run('DELETE FROM documents WHERE id = ?', documentId) === 0) throw documentNotFound();
    await rm(this.textPath(documentId), { force: true });
  }

  async #add(name: string, extract: (target: string) => Promise<ExtractedText>): Promise<DocumentRecord> {
    const id = randomUUID();
    const extracted = await extract(this.textPath(id));
    this.#database.run(
      'INSERT INTO documents (id, name, format, size_bytes, characters, sha256, notices, checkpoints, added_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      name,
      extracted.format,
      extracted.bytes,
      extracted.characters,
      extracted.sha256,
      JSON.stringify(extracted.notices),
      JSON.stringify(extracted.checkpoints),
      Date.now(),
    );
    return this.get(id);
  }
}

function toRecord(row: z.infer<typeof documentRow>): DocumentRecord {
  return documentRecord.parse({
    id: row.id,
    name: row.name,
    format: row.format,
    sizeBytes: row.size_bytes,
    characters: row.characters,
    sha256: row.sha256,
    notices: JSON.parse(row.notices),
    addedAtMs: row.added_at_ms,
  });
}

function documentNotFound(): HostError {
  return new HostError('document-not-found', 'This document is no longer in the library.', 'Add it again.');
}
