/** Calls and events about conversations: their list, folders, presets, search, what passes the window, export. */
import * as z from 'zod';
import { conversationEvent, folder, importResult, preset, searchResult } from './chatEntities.ts';
import { conversation, identifier, message } from './entities.ts';

const nothing = z.object({}).strict();
const oneConversation = z.object({ conversationId: identifier }).strict();
const exported = z.object({ fileName: z.string(), text: z.string() });
const changeable = { modelId: true, documentIds: true, systemPrompt: true, sampling: true, policy: true, title: true, folderId: true, pinned: true } as const;

export const chatMethods = {
  /**
   * Newest first, a page at a time, those after `before`. `folderId` null: those in no folder; the first page of these
   * has all that are pinned, too, wherever they are.
   */
  'conversations.list': {
    params: z
      .object({
        folderId: identifier.nullable(),
        before: z.object({ updatedAtMs: z.number().int().nonnegative(), id: identifier }).strict().nullable(),
        limit: z.number().int().min(1).max(1000),
      })
      .strict(),
    result: z.object({ conversations: z.array(conversation), more: z.boolean() }),
  },
  'conversations.get': { params: oneConversation, result: conversation },
  'conversations.create': { params: conversation.pick(changeable).partial().strict(), result: conversation },
  'conversations.update': { params: conversation.pick(changeable).partial().extend({ conversationId: identifier }).strict(), result: conversation },
  'conversations.remove': { params: oneConversation, result: nothing },
  /** The messages from the first question to the active answer, in order. */
  'conversations.messages': { params: oneConversation, result: z.array(message) },
  'conversations.events': { params: oneConversation, result: z.array(conversationEvent) },
  /** Whole conversations with all alternatives as JSON; as Markdown what is shown of them. */
  'conversations.export': {
    params: z.object({ conversationIds: z.array(identifier).min(1).max(100_000).nullable(), format: z.enum(['json', 'markdown']) }).strict(),
    result: exported,
  },
  /** Takes over what an export wrote; a conversation that is there already is imported as a copy. */
  'conversations.import': { params: z.object({ fileId: identifier }).strict(), result: importResult },

  'folders.list': { params: nothing, result: z.array(folder) },
  'folders.create': { params: folder.pick({ name: true }).strict(), result: folder },
  'folders.rename': { params: z.object({ folderId: identifier, name: folder.shape.name }).strict(), result: folder },
  /** Its chats stay. */
  'folders.remove': { params: z.object({ folderId: identifier }).strict(), result: nothing },

  'presets.list': { params: nothing, result: z.array(preset) },
  /** Without an id, a new one. */
  'presets.save': { params: preset.extend({ id: identifier.optional() }).strict(), result: preset },
  'presets.remove': { params: z.object({ presetId: identifier }).strict(), result: nothing },
  'presets.export': { params: nothing, result: exported },
  'presets.import': { params: z.object({ fileId: identifier }).strict(), result: z.array(preset) },

  /** Titles, messages and documents that hold all words, or words that begin with them. */
  'search.query': { params: z.object({ query: z.string().max(400), limit: z.number().int().min(1).max(200) }).strict(), result: searchResult },

  /** What to do about a conversation that passes its window; `summary` resolves to the new chat. */
  'chat.pastWindow': {
    params: z.object({ conversationId: identifier, choice: z.enum(['stop', 'offload', 'summary']) }).strict(),
    result: conversation,
  },
} as const;

export const chatEvents = {
  'conversation.changed': conversation,
  'conversation.removed': z.object({ conversationId: identifier }),
  'conversation.event': conversationEvent,
  /** Many at once: ask for the list again. */
  'conversations.changed': nothing,
  'folders.changed': z.array(folder),
  'presets.changed': z.array(preset),
} as const;
