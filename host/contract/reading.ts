/** What was brought, what was read of it and is kept, and what is being read. */
import * as z from 'zod';
import { documentFormat, pageUnit } from './documentModel.ts';
import { sparseReading } from './policy.ts';
import { count, failure, identifier, timestampMs } from './primitives.ts';

export const documentRecord = z.object({
  id: identifier,
  name: z.string(),
  format: documentFormat,
  /** What its pages are, and how many there are; 0 for a document of an earlier version until it is opened. */
  unit: pageUnit,
  pages: count,
  /** Of the text. */
  sizeBytes: count,
  /** On disk: text, structure and, for a PDF, the file itself. */
  keptBytes: count,
  characters: count,
  sha256: z.string(),
  /** What a person should know about the extraction, e.g. replaced characters. */
  notices: z.array(z.string()),
  addedAtMs: timestampMs,
});
export type DocumentRecord = z.infer<typeof documentRecord>;

/** What was read, kept on disk: one path of segments that someone holds. */
export const memoryRecord = z.object({
  id: identifier,
  /** Documents and chats that hold it; `name` null when it is no longer known. */
  users: z.array(z.object({ kind: z.enum(['document', 'conversation', 'reading']), id: z.string(), name: z.string().nullable() })),
  modelName: z.string().nullable(),
  tokens: count,
  /** How it was read; null: exactly. */
  sparseReading: sparseReading.nullable(),
  /** With what it shares with other memories. */
  bytes: count,
  /** What deleting it frees: what it shares stays. */
  freedBytes: count,
  createdAtMs: timestampMs,
  lastUsedAtMs: timestampMs,
  /** `reading`: not to its end yet. `damaged`: parts of it will have to be read again. */
  state: z.enum(['ready', 'reading', 'damaged']),
});
export type MemoryRecord = z.infer<typeof memoryRecord>;

export const memoryUsage = z.object({
  usedBytes: count,
  /** The person's limit; null: what the disk has. */
  quotaBytes: count.nullable(),
  /** How much more can be kept, by the limit and by the disk. */
  freeBytes: count,
});
export type MemoryUsage = z.infer<typeof memoryUsage>;

/** The reading of one document by one model into a memory. */
export const reading = z.object({
  id: identifier,
  documentId: identifier,
  modelId: identifier,
  /** `paused` by the person or by a full disk (then with a failure); it goes on from where it was. */
  state: z.enum(['queued', 'loading', 'reading', 'paused', 'done', 'failed']),
  /** Tokens kept so far, those of earlier sessions included. */
  doneTokens: count,
  /** 0 before the tokens are counted. */
  totalTokens: count,
  tokensPerSecond: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  failure: failure.nullable(),
});
export type Reading = z.infer<typeof reading>;
