/** What surrounds conversations: folders, presets, what happened in them, what a search finds. */
import * as z from 'zod';
import { failure, identifier, sampling } from './entities.ts';

const count = z.number().int().nonnegative();
const timestampMs = z.number().int().nonnegative();

export const folder = z.object({ id: identifier, name: z.string().min(1).max(100), createdAtMs: timestampMs });
export type Folder = z.infer<typeof folder>;

/** A system prompt and, where it has one, a sampling, under a name. */
export const preset = z.object({
  id: identifier,
  name: z.string().min(1).max(100),
  systemPrompt: z.string().max(1_000_000),
  /** Null: leaves the sampling of the chat as it is. */
  sampling: sampling.nullable(),
});
export type Preset = z.infer<typeof preset>;

/** What the person chose when a conversation passed its window; shown where it happened. */
export const eventDetails = z.discriminatedUnion('kind', [
  /** From here on, keys and values lie beyond the GPU, too. */
  z.object({ kind: z.literal('offloaded'), residentTokens: count, offloadedTokens: count }),
  /** The person left it at that. */
  z.object({ kind: z.literal('stopped'), promptTokens: count, windowTokens: count }),
  /** It goes on in another chat, from a summary. */
  z.object({ kind: z.literal('continued'), conversationId: identifier, title: z.string() }),
  /** At the beginning of that other chat. */
  z.object({
    kind: z.literal('begun'),
    conversationId: identifier,
    title: z.string(),
    summary: z.string(),
    /** Questions with their answers that were summarised, and the oldest ones that did not fit. */
    turns: count,
    turnsLeftOut: count,
  }),
]);
export type EventDetails = z.infer<typeof eventDetails>;

export const conversationEvent = z.object({
  id: identifier,
  conversationId: identifier,
  /** Null: at the beginning. */
  afterMessageId: identifier.nullable(),
  createdAtMs: timestampMs,
  details: eventDetails,
});
export type ConversationEvent = z.infer<typeof conversationEvent>;

/** A piece of text around what was found. */
export const snippet = z.array(z.object({ text: z.string(), found: z.boolean() }));
export type Snippet = z.infer<typeof snippet>;

export const searchResult = z.object({
  chats: z.array(z.object({ conversationId: identifier, title: z.string(), updatedAtMs: timestampMs })),
  messages: z.array(
    z.object({ conversationId: identifier, messageId: identifier, title: z.string(), role: z.enum(['user', 'assistant']), createdAtMs: timestampMs, snippet }),
  ),
  /** `start` and `end`: the passage in the document's text, in UTF-16 units. */
  documents: z.array(z.object({ documentId: identifier, name: z.string(), start: count, end: count, snippet })),
  /** Documents whose text is still being indexed. */
  documentsWaiting: count,
});
export type SearchResult = z.infer<typeof searchResult>;

export const importResult = z.object({
  conversationIds: z.array(identifier),
  /** Documents that these chats had attached and that are not in the library. */
  missingDocuments: z.array(z.string()),
  failure: failure.nullable(),
});
