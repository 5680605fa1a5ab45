/** What is known of an answer: what it cost and what attention did with the keys. */
import * as z from 'zod';
import { policyName, sparseReading } from './policy.ts';
import { count, failure, identifier } from './primitives.ts';

/** What attention did with the keys while an answer was written, a mean over its steps, layers and KV heads. */
export const policyOutcome = z.object({
  name: policyName,
  /** Keys of the sequence at the end; the next four add up to it. */
  totalKeys: count,
  exactKeys: count,
  estimatedKeys: count,
  /** Chosen, but not on the GPU in time: part of the estimate where there is one. */
  missedKeys: count.default(0),
  droppedKeys: count,
  droppedBecause: z.string().nullable(),
  /** Of the keys chosen beyond the GPU, the share that was in the GPU's cache; null when none was chosen. */
  hitRatio: z.number().min(0).max(1).nullable(),
  /** Where keys and values lay at the end, and what was read from outside the GPU. */
  gpuBytes: count,
  ramBytes: count,
  diskBytes: count,
  ramReadBytes: count,
  diskReadBytes: count,
});
export type PolicyOutcome = z.infer<typeof policyOutcome>;

/** A document of which an answer knows only the beginning, because it had not been read to its end. */
export const partlyRead = z.object({ id: identifier, name: z.string(), readTokens: count, tokens: count });
export type PartlyRead = z.infer<typeof partlyRead>;

/** What of a prompt was read sparsely, now or when it was kept. */
export const sparselyRead = sparseReading.extend({
  tokens: count,
  /** Of the keys before them: not attended to, as far as they were read now; null when none was. */
  skippedShare: z.number().min(0).max(1).nullable(),
});
export type SparselyRead = z.infer<typeof sparselyRead>;

export const answerStatistics = z.object({
  modelName: z.string(),
  promptTokens: count,
  /** Prompt tokens that were already in the cache and did not have to be read again. */
  reusedTokens: count,
  /** Of those, tokens that came from a memory on disk. */
  keptTokens: count.default(0),
  /** Why what was read now is not kept, e.g. a full disk. */
  notKept: failure.nullable().default(null),
  /** Documents that were not read to their end when it was asked for an answer from what had been read. */
  partlyRead: z.array(partlyRead).default([]),
  /** null where everything was read exactly. */
  sparselyRead: sparselyRead.nullable().default(null),
  /** null for answers of earlier versions. */
  policy: policyOutcome.nullable().default(null),
  answerTokens: count,
  readingMs: z.number(),
  answeringMs: z.number(),
  stopReason: z.enum(['end', 'length', 'stop-string', 'cancelled', 'context']),
});
export type AnswerStatistics = z.infer<typeof answerStatistics>;
