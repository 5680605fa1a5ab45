/** What the next prompt holds, part by part, and where an answer is on its way. */
import * as z from 'zod';
import { layerGroup } from './models.ts';
import { policyName } from './policy.ts';
import { count, failure, identifier } from './primitives.ts';

/** Where a prompt's keys lie and how a step attends to them; resident and offloaded add up to the prompt. */
export const contextTiers = z.object({
  policy: policyName,
  residentTokens: count,
  /** In RAM and on disk; the last three add up to it. */
  offloadedTokens: count,
  /** Attended exactly in a step, represented by clusters, not seen at all. */
  chosenTokens: count,
  estimatedTokens: count,
  droppedTokens: count,
  droppedBecause: z.string().nullable(),
});
export type ContextTiers = z.infer<typeof contextTiers>;

/** Where an answer is; the renderer shows each phase with its progress. */
export const answerProgress = z.object({
  conversationId: identifier,
  messageId: identifier,
  phase: z.enum(['queued', 'loading', 'reading', 'answering']),
  /** Bytes while loading, tokens while reading and answering. */
  done: count,
  total: count,
  perSecond: z.number().nonnegative(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Known from the moment the prompt was measured. */
  tiers: contextTiers.nullable(),
});
export type AnswerProgress = z.infer<typeof answerProgress>;

/** Tokens of the next prompt by part, counted by the model's own tokenizer. */
export const contextMeter = z.object({
  windowTokens: count,
  /** What of the window the model was trained on; beyond it positions are only stretched. */
  trainedTokens: count,
  /** How far back the model's layers see. */
  layers: z.array(layerGroup),
  headerTokens: count,
  systemTokens: count,
  documents: z.array(z.object({ documentId: identifier, name: z.string(), tokens: count })),
  historyTokens: count,
  questionTokens: count,
  answerReserveTokens: count,
  /** Negative when the prompt does not fit. */
  freeTokens: z.number().int(),
  /** Set when it does not fit: the sentence to show, with both numbers. */
  refusal: failure.nullable(),
  /** Tokens already in the cache from an earlier turn, or in a memory on disk; they will not be read again. */
  cachedTokens: count,
  tiers: contextTiers,
  /** Reading speed of this model on this machine so far, for an estimate of the wait. */
  readingTokensPerSecond: z.number().nonnegative().nullable(),
  /** What the model keeps on disk of each token it reads. */
  keptBytesPerToken: z.number().nonnegative(),
});
export type ContextMeter = z.infer<typeof contextMeter>;
