/** Calls about what is in a document: its pages, blocks and boxes, where characters stand, and the file itself. */
import * as z from 'zod';
import { documentBlock, heading, pageUnit, textBox } from './documentModel.ts';

const documentId = z.string().min(1).max(64).regex(/^[A-Za-z0-9_-]+$/);
const count = z.number().int().nonnegative();
const size = z.object({ width: z.number().positive(), height: z.number().positive() });

/** A page as the reader lists it; characters are UTF-16 units of the extracted text. */
export const documentPage = z.object({ label: z.string(), start: count, end: count, size: size.nullable() });
export type DocumentPage = z.infer<typeof documentPage>;

export const documentStructure = z.object({
  unit: pageUnit,
  pages: z.array(documentPage),
  /** `page` counts from 0. */
  headings: z.array(heading.extend({ page: count })),
});
export type DocumentStructure = z.infer<typeof documentStructure>;

export const pageContent = z.object({ text: z.string(), start: count, blocks: z.array(documentBlock), boxes: z.array(textBox) });
export type PageContent = z.infer<typeof pageContent>;

/** Where characters stand: on each page the span's own part, its blocks, and its boxes where pages have a shape. */
export const spanPlace = z.object({ page: count, start: count, end: count, boxes: z.array(textBox) });
export type SpanPlace = z.infer<typeof spanPlace>;

/** What one answer may hold of a file. */
export const longestFileRangeBytes = 1_048_576;

export const documentMethods = {
  'documents.structure': { params: z.object({ documentId }).strict(), result: documentStructure },
  /** One page, counted from 0. */
  'documents.page': { params: z.object({ documentId, page: count }).strict(), result: pageContent },
  'documents.locate': {
    params: z.object({ documentId, start: count, end: count }).strict(),
    result: z.array(spanPlace),
  },
  /** The tokens that hold characters [start, end), counted from the document's first; the model is loaded when it is not. */
  'documents.tokenRange': {
    params: z.object({ documentId, modelId: documentId, start: count, end: count }).strict(),
    result: z.object({ start: count, end: count, tokens: count }),
  },
  /** Where words stand in the text, in any case and over line breaks. */
  'documents.find': {
    params: z.object({ documentId, query: z.string().max(1000) }).strict(),
    result: z.object({ matches: z.array(z.object({ start: count, end: count })), more: z.boolean() }),
  },
  /** Bytes of the file itself, which is kept for PDF only. */
  'documents.fileRange': {
    params: z.object({ documentId, start: count, end: count }).strict(),
    result: z.object({ base64: z.string(), totalBytes: count }),
  },
} as const;
