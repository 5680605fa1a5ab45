/**
 * What a document is, whatever it came from: pages → blocks → characters of one extracted text, with boxes
 * where the pages have a shape. Offsets are UTF-16 units of the text; boxes are points (1/72 inch) from the
 * upper left corner of the page. Everything that points into a document (citations, search, heat) does it by
 * characters; pages and boxes are found from there.
 */
import * as z from 'zod';

/** Raised when what a parser finds changes; what was found by an older one is found anew. */
export const structureVersion = 1;

const offset = z.number().int().nonnegative();

export const documentFormat = z.enum(['text', 'markdown', 'code', 'csv', 'html', 'pdf', 'epub', 'docx', 'xlsx', 'pptx', 'folder']);
export type DocumentFormat = z.infer<typeof documentFormat>;

/** What the pages of a format are; `part`: a stretch of running text, which has no pages of its own. */
export const pageUnit = z.enum(['page', 'chapter', 'sheet', 'slide', 'file', 'part']);
export type PageUnit = z.infer<typeof pageUnit>;

export const blockKind = z.enum(['paragraph', 'heading', 'item', 'table', 'code', 'quote']);
export type BlockKind = z.infer<typeof blockKind>;

/** `level`: of a heading, 1 to 6, or how deep a list item lies, from 1; else 0. */
export const documentBlock = z.object({ kind: blockKind, level: z.number().int().min(0).max(9), start: offset, end: offset });
export type DocumentBlock = z.infer<typeof documentBlock>;

/** A run of characters of one line, and where it is on its page. */
export const textBox = z.object({ start: offset, end: offset, x: z.number(), y: z.number(), width: z.number(), height: z.number() });
export type TextBox = z.infer<typeof textBox>;

export const heading = z.object({ title: z.string().max(300), level: z.number().int().min(1).max(6), start: offset });
export type Heading = z.infer<typeof heading>;

/** One page as a parser tells it; offsets are of the whole text. */
export const parsedPage = z.object({
  label: z.string().max(300),
  start: offset,
  end: offset,
  /** Of a page with a shape, in points. */
  size: z.object({ width: z.number().positive(), height: z.number().positive() }).nullable(),
  blocks: z.array(documentBlock),
  boxes: z.array(textBox),
  headings: z.array(heading),
});
export type ParsedPage = z.infer<typeof parsedPage>;

/** Everything but the pages, which are written to a file beside the text. */
export const parsedDocument = z.object({
  format: documentFormat,
  unit: pageUnit,
  pages: z.number().int().nonnegative(),
  characters: offset,
  bytes: offset,
  sha256: z.string(),
  checkpoints: z.array(z.tuple([z.number(), z.number()])),
  notices: z.array(z.string()),
});
export type ParsedDocument = z.infer<typeof parsedDocument>;
