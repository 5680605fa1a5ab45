/** Questions that ask for all of something: the document is gone through in windows, none left out. */
import * as z from 'zod';
import { failure, identifier } from './entities.ts';

const count = z.number().int().nonnegative();
const span = z.object({ start: count, end: count });

export const sweepItem = z.object({
  text: z.string(),
  /** Characters of the document: the sentence that says it, or where none does, the window that it came from. */
  passages: z.array(span.extend({ verified: z.boolean() })).min(1),
});
export type SweepItem = z.infer<typeof sweepItem>;

export const sweepWindow = span.extend({
  /** `empty`: read, and it gave nothing. */
  state: z.enum(['waiting', 'empty', 'gave', 'failed']),
});
export type SweepWindow = z.infer<typeof sweepWindow>;

export const sweep = z.object({
  id: identifier,
  documentId: identifier,
  modelId: identifier,
  conversationId: identifier.nullable(),
  question: z.string(),
  /** `list`: items are collected, each once. `summary`: what each window says, in order. */
  kind: z.enum(['list', 'summary']),
  /** `queued` also while nobody has the time; `paused` by the person. */
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed']),
  windows: z.array(sweepWindow),
  items: z.array(sweepItem),
  failure: failure.nullable(),
  createdAtMs: count,
});
export type Sweep = z.infer<typeof sweep>;

const asksForAll =
  /\b(?:list|name|find|give|show|collect|enumerate|extract|count)\b.{0,40}\b(?:all|every|each|any)\b|\bhow many\b|\bevery (?:single )?\w+ (?:that|which|who|in)\b|\bwhat are all\b|\ball (?:the )?\w+ (?:that|which|who|mentioned|named|in the)\b/iu;
const asksForWhole = /\b(?:summari[sz]e|summary of|outline|timeline of)\b.{0,40}\b(?:whole|entire|all|book|document|text|novel|chapters?)\b/iu;

/** What a question asks all of; null for one that a passage can answer. */
export function sweepKindOf(question: string): Sweep['kind'] | null {
  if (asksForWhole.test(question)) return 'summary';
  return asksForAll.test(question) ? 'list' : null;
}
