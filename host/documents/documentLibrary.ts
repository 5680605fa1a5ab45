/** The documents a person has added: text, structure and pages in files named by id, the rest in the database. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type ParsedDocument, structureVersion } from '../contract/documentModel.ts';
import { type DocumentStructure, type PageContent, type SpanPlace, longestFileRangeBytes } from '../contract/documents.ts';
import { type DocumentRecord, documentRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { PassingFiles } from '../storage/passingFiles.ts';
import { formatCount, quoted } from '../wording.ts';
import { parseFile, parsePasted } from './addDocument.ts';
import { DocumentFiles } from './documentFiles.ts';
import { DocumentPages, readPageLines } from './documentPages.ts';
import { type FoundText, findText } from './findText.ts';
import { boxesOf } from './locateSpan.ts';
import { parseInProcess } from './parserProcess.ts';
import { readTextRange } from './readRange.ts';

/** What one call may ask for; the reader fetches pages, never a book. */
const maximumRangeUnits = 2_000_000;

const documentRow = z.object({
  id: z.string(),
  name: z.string(),
  format: z.string(),
  unit: z.string(),
  pages: z.number(),
  size_bytes: z.number(),
  kept_bytes: z.number(),
  characters: z.number(),
  sha256: z.string(),
  notices: z.string(),
  added_at_ms: z.number(),
});
const columns =
  'id, name, format, unit, (SELECT count(*) FROM document_pages WHERE document_id = documents.id) AS pages, size_bytes, max(kept_bytes, size_bytes) AS kept_bytes, characters, sha256, notices, added_at_ms';
const checkpointList = z.array(z.tuple([z.number(), z.number()]));

export interface LibraryFolders {
  documents: string;
  /** Where parsers write; emptied at start. */
  staging: string;
}

export class DocumentLibrary {
  readonly #database: Database;
  readonly #files: DocumentFiles;
  readonly #passing: PassingFiles;
  readonly #pages: DocumentPages;
  readonly #staging: string;
  /** Structures that are being found anew, by document. */
  readonly #renewals = new Map<string, Promise<void>>();

  constructor(database: Database, folders: LibraryFolders) {
    this.#database = database;
    this.#files = new DocumentFiles(folders.documents);
    this.#passing = new PassingFiles(database, 'document', folders.documents);
    this.#pages = new DocumentPages(database);
    this.#staging = folders.staging;
  }

  list(): DocumentRecord[] {
    return this.#database.all(documentRow, `SELECT ${columns} FROM documents ORDER BY added_at_ms DESC, rowid DESC`).map(toRecord);
  }

  names(): string[] {
    return this.#database.all(z.object({ name: z.string() }), 'SELECT DISTINCT name FROM documents').map(({ name }) => name);
  }

  get(documentId: string): DocumentRecord {
    const row = this.#database.first(documentRow, `SELECT ${columns} FROM documents WHERE id = ?`, documentId);
    if (!row) throw documentNotFound();
    return toRecord(row);
  }

  textPath(documentId: string): string {
    return this.#files.text(documentId);
  }

  /** A file, or a folder of them. */
  addFile(path: string, name: string): Promise<DocumentRecord> {
    return this.#add(name, path, (output) => parseFile(path, name, output));
  }

  addText(name: string, text: string): Promise<DocumentRecord> {
    return this.#add(name, null, (output) => parsePasted(text, name, output));
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

  async structure(documentId: string): Promise<DocumentStructure> {
    await this.#findStructure(documentId);
    return this.#pages.structure(documentId);
  }

  async page(documentId: string, page: number): Promise<PageContent> {
    await this.#findStructure(documentId);
    const { start, end, blocks, boxes } = await this.#pages.read(documentId, page, this.#files.structure(documentId));
    return { text: (await this.text(documentId, start, end)).text, start, blocks, boxes };
  }

  /** Where characters stand, page by page. */
  async locate(documentId: string, start: number, end: number): Promise<SpanPlace[]> {
    await this.#findStructure(documentId);
    const places: SpanPlace[] = [];
    for (const number of this.#pages.overlapping(documentId, start, end)) {
      const page = await this.#pages.read(documentId, number, this.#files.structure(documentId));
      places.push({ page: number, start: Math.max(start, page.start), end: Math.min(end, page.end), boxes: boxesOf(page, start, end) });
    }
    return places;
  }

  find(documentId: string, query: string): Promise<FoundText> {
    const { characters } = this.get(documentId);
    return findText(query, characters, async (start, end) => (await this.text(documentId, start, end)).text);
  }

  async fileRange(documentId: string, start: number, end: number): Promise<{ base64: string; totalBytes: number }> {
    const { format, name } = this.get(documentId);
    if (format !== 'pdf') throw new HostError('document-no-pages', `${quoted(name)} has no pages to look at.`, 'Look at its text.');
    const file = await open(this.#files.original(documentId), 'r');
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, Math.min(end, size, start + longestFileRangeBytes) - start));
      await file.read(bytes, 0, bytes.length, start);
      return { base64: bytes.toString('base64'), totalBytes: size };
    } finally {
      await file.close();
    }
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
    const files = this.#files.all(documentId);
    this.#database.transaction(() => {
      if (this.#database.run('DELETE FROM documents WHERE id = ?', documentId) === 0) throw documentNotFound();
      this.#passing.note(files);
    });
    await this.#files.remove(documentId);
    this.#passing.forget(files);
  }

  /** What a kill has left of documents that were being added or removed. */
  removeLeft(): Promise<void> {
    const kept = new Set(this.list().flatMap(({ id }) => this.#files.all(id)));
    return this.#passing.removeLeft((path) => kept.has(path));
  }

  async #add(name: string, path: string | null, parse: (output: string) => Promise<ParsedDocument>): Promise<DocumentRecord> {
    const id = randomUUID();
    await this.#inStaging(id, async (output) => {
      const parsed = await parse(output);
      const files = this.#files.all(id);
      this.#database.transaction(() => this.#passing.note(files));
      const keptBytes = await this.#files.take(id, output, parsed, path);
      try {
        const lines = await readPageLines(this.#files.structure(id));
        this.#database.transaction(() => {
          this.#database.run(
            'INSERT INTO documents (id, name, format, unit, structure_version, size_bytes, kept_bytes, characters, sha256, notices, checkpoints, added_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            id,
            name,
            parsed.format,
            parsed.unit,
            structureVersion,
            parsed.bytes,
            keptBytes,
            parsed.characters,
            parsed.sha256,
            JSON.stringify(parsed.notices),
            JSON.stringify(parsed.checkpoints),
            Date.now(),
          );
          this.#pages.insert(id, lines);
          this.#passing.forget(files);
        });
      } catch (error) {
        await this.#files.remove(id);
        throw error;
      }
    });
    return this.get(id);
  }

  /** Documents of earlier versions have their text only: its structure is found when it is first wanted. */
  async #findStructure(documentId: string): Promise<void> {
    const row = this.#database.first(z.object({ structure_version: z.number() }), 'SELECT structure_version FROM documents WHERE id = ?', documentId);
    if (!row) throw documentNotFound();
    if (row.structure_version > 0) return;
    const renewal = this.#renewals.get(documentId) ?? this.#renew(documentId).finally(() => this.#renewals.delete(documentId));
    this.#renewals.set(documentId, renewal);
    await renewal;
  }

  async #renew(documentId: string): Promise<void> {
    const { format, name, sha256 } = this.get(documentId);
    await this.#inStaging(randomUUID(), async (output) => {
      const parsed = await parseInProcess(this.textPath(documentId), format === 'markdown' ? 'text.md' : 'text.txt', output);
      if (parsed.sha256 !== sha256) throw new HostError('document-damaged', `The kept text of ${quoted(name)} is not what it was.`, 'Add the document again.');
      await this.#files.takeStructure(documentId, output);
      const lines = await readPageLines(this.#files.structure(documentId));
      const keptBytes = await this.#files.bytes(documentId);
      this.#database.transaction(() => {
        this.#pages.insert(documentId, lines);
        this.#database.run('UPDATE documents SET structure_version = ?, unit = ?, kept_bytes = ? WHERE id = ?', structureVersion, parsed.unit, keptBytes, documentId);
      });
    });
  }

  async #inStaging(id: string, work: (output: string) => Promise<void>): Promise<void> {
    const output = join(this.#staging, `parsing-${id}`);
    await mkdir(output, { mode: 0o700 });
    try {
      await work(output);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  }
}

function toRecord(row: z.infer<typeof documentRow>): DocumentRecord {
  return documentRecord.parse({
    id: row.id,
    name: row.name,
    format: row.format,
    unit: row.unit,
    pages: row.pages,
    sizeBytes: row.size_bytes,
    keptBytes: row.kept_bytes,
    characters: row.characters,
    sha256: row.sha256,
    notices: JSON.parse(row.notices),
    addedAtMs: row.added_at_ms,
  });
}

function documentNotFound(): HostError {
  return new HostError('document-not-found', 'This document is no longer in the library.', 'Add it again.');
}
