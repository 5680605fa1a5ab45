/** What the process that computes a truth bench is asked and answers, over Node's IPC channel. */
import * as z from 'zod';
import { suiteNames } from '../../bench/truth/suites/suites.ts';
import { failure } from '../contract/entities.ts';
import { policySetting, sparseReading } from '../contract/policy.ts';

/** Bytes, or a share of what all keys and values of the layers that see everything take in f16. */
export const kvAmount = z.union([z.object({ bytes: z.number().int().positive() }), z.object({ share: z.number().positive().max(4) })]);
export type KvAmount = z.infer<typeof kvAmount>;

export const evalRequest = z.object({
  modelPath: z.string(),
  /** Of every access in shaders (`host/models/boundsChecks.ts`). */
  boundsChecks: z.boolean(),
  modelName: z.string(),
  suites: z.array(z.enum(suiteNames)).min(1),
  lengthsTokens: z.array(z.number().int().positive()).min(1),
  depths: z.array(z.number().min(0).max(1).nullable()).min(1),
  seeds: z.array(z.number().int().nonnegative()).min(1),
  policies: z.array(z.object({ label: z.string(), policy: policySetting, seeds: z.number().positive() })).min(1),
  /** Ways to read, each of which is tried with every policy; null: exactly. */
  sparseReadings: z.array(sparseReading.nullable()).min(1),
  kv: z.object({ gpu: kvAmount, ram: kvAmount, format: z.enum(['f16', 'q8']) }),
  /** Holds `books` and the question sets; null for the excerpt that comes along. */
  dataFolder: z.string().nullable(),
  /** File name of the only book to use. */
  book: z.string().nullable(),
  outFolder: z.string(),
  /** Kernel choices, and what spills from RAM. */
  cacheFolder: z.string(),
  /** Of the documents this process takes those whose number is `index` modulo `count`. */
  shard: z.object({ index: z.number().int().nonnegative(), count: z.number().int().positive() }),
  /**
   * Documents at a time in this process, each with caches of its own. Processes take turns on a GPU, milliseconds each;
   * what one process submits does not.
   */
  lanes: z.number().int().positive(),
  /** Starts nothing after so many seconds; a later run goes on. */
  seconds: z.number().positive().nullable(),
});
export type EvalRequest = z.infer<typeof evalRequest>;

export const evalReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), shard: z.number().int(), done: z.number(), total: z.number() }),
  z.object({ kind: z.literal('note'), text: z.string() }),
  z.object({ kind: z.literal('failed'), failure }),
  z.object({ kind: z.literal('done') }),
]);
export type EvalReply = z.infer<typeof evalReply>;
