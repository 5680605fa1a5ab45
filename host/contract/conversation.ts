/** Chats and their messages. */
import * as z from 'zod';
import { answerStatistics } from './answers.ts';
import { policySetting } from './policy.ts';
import { count, failure, identifier, timestampMs } from './primitives.ts';
import { sampling } from './sampling.ts';

/** What a chat is called until its first question names it. */
export const untitledChat = 'New chat';

export const message = z.object({
  id: identifier,
  conversationId: identifier,
  parentId: identifier.nullable(),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  /** `interrupted`: the app or the worker ended before the answer did. */
  state: z.enum(['complete', 'streaming', 'stopped', 'failed', 'interrupted']),
  failure: failure.nullable(),
  statistics: answerStatistics.nullable(),
  /** Which model was asked; null for a question. */
  modelName: z.string().nullable(),
  createdAtMs: timestampMs,
  /** Position among the alternatives that share a parent, from 0, and how many there are. */
  siblingIndex: count,
  siblingIds: z.array(identifier),
});
export type Message = z.infer<typeof message>;

export const conversation = z.object({
  id: identifier,
  title: z.string(),
  createdAtMs: timestampMs,
  updatedAtMs: timestampMs,
  modelId: identifier.nullable(),
  documentIds: z.array(identifier),
  systemPrompt: z.string(),
  sampling,
  /** How what lies beyond the GPU is attended to; null: the default. */
  policy: policySetting.nullable(),
  folderId: identifier.nullable(),
  /** Stands above the others. */
  pinned: z.boolean(),
});
export type Conversation = z.infer<typeof conversation>;
