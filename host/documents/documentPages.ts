/** Pages of documents: a row each in the database to find them by characters, the rest in a line of a file. */
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createReadStream } from 'node:fs';
import * as z from 'zod';
import { type ParsedPage, heading, pageUnit, parsedPage } from '../contract/documentModel.ts';
import type { DocumentStructure } from '../contract/documents.ts';
import { HostError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { formatCount } from '../wording.ts';

const pageRow = z.object({
  page: z.number(),
  label: z.string(),
  start_character: z.number(),
  end_character: z.number(),
  width: z.number().nullable(),
  height: z.number().nullable(),
  headings: z.string(),
});
const lineRow = z.object({ line_start: z.number(), line_bytes: z.number() });
const columns = 'page, label, start_character, end_character, width, height, headings';

export interface PageLine {
  page: ParsedPage;
  lineStart: number;
  lineBytes: number;
}

export class DocumentPages {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Within the caller's transaction. */
  insert(documentId: string, lines: readonly PageLine[]): void {
    this.#database.run('DELETE FROM document_pages WHERE document_id = ?', documentId);
    for (const [index, { page, lineStart, lineBytes }] of lines.entries()) {
      const { label, start, end, size, headings } = page;
      this.#database.run(
        `INSERT INTO document_pages (document_id, ${columns}, line_start, line_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        documentId,
        index,
        label,
        start,
        end,
        size?.width ?? null,
        size?.height ?? null,
        JSON.stringify(headings),
        lineStart,
        lineBytes,
      );
    }
  }

  structure(documentId: string): DocumentStructure {
    const unit = this.#database.first(z.object({ unit: pageUnit }), 'SELECT unit FROM documents WHERE id = ?', documentId)?.unit ?? 'part';
    const rows = this.#database.all(pageRow, `SELECT ${columns} FROM document_pages WHERE document_id = ? ORDER BY page`, documentId);
    return {
      unit,
      pages: rows.map(({ label, start_character: start, end_character: end, width, height }) => ({ label, start, end, size: width && height ? { width, height } : null })),
      headings: rows.flatMap(({ page, headings }) => z.array(heading).parse(JSON.parse(headings)).map((each) => ({ ...each, page }))),
    };
  }

  /** Pages that hold characters of a span, counted from 0. */
  overlapping(documentId: string, start: number, end: number): number[] {
    return this.#database
      .all(z.object({ page: z.number() }), 'SELECT page FROM document_pages WHERE document_id = ? AND start_character < ? AND end_character > ? ORDER BY page', documentId, end, start)
      .map(({ page }) => page);
  }

  async read(documentId: string, page: number, structurePath: string): Promise<ParsedPage> {
    const line = this.#database.first(lineRow, 'SELECT line_start, line_bytes FROM document_pages WHERE document_id = ? AND page = ?', documentId, page);
    if (!line) throw new HostError('document-no-pages', `This document has no page ${formatCount(page + 1)}.`, 'Ask for one that it has.');
    const file = await open(structurePath, 'r');
    try {
      const bytes = Buffer.alloc(line.line_bytes);
      await file.read(bytes, 0, bytes.length, line.line_start);
      return parsedPage.parse(JSON.parse(bytes.toString('utf8')));
    } finally {
      await file.close();
    }
  }
}

/** The pages of a structure file, each with the place of its line. What a parser wrote is checked here. */
export async function readPageLines(structurePath: string): Promise<PageLine[]> {
  const lines: PageLine[] = [];
  let lineStart = 0;
  for await (const line of createInterface({ input: createReadStream(structurePath), crlfDelay: Infinity })) {
    const lineBytes = Buffer.byteLength(line);
    const { blocks, boxes, ...page } = parsedPage.parse(JSON.parse(line));
    // Boxes of a whole book are not held at once.
    lines.push({ page: { ...page, blocks: blocks.slice(0, 0), boxes: boxes.slice(0, 0) }, lineStart, lineBytes });
    lineStart += lineBytes + 1;
  }
  return lines;
}
