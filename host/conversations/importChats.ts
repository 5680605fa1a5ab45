/** Takes over chats that an export wrote. All of a file, or nothing. */
import { randomUUID } from 'node:crypto';
import { HostError } from '../errors.ts';
import type { ModelStore } from '../models/modelStore.ts';
import type { Database } from '../storage/database.ts';
import { quoted } from '../wording.ts';
import { chatFile, type FileConversation } from './chatFile.ts';
import type { ChatStores } from './exportChats.ts';

export interface ImportedChats {
  conversationIds: string[];
  missingDocuments: string[];
}

/** @throws `import-invalid` with the place that is not as it should be. */
export function importChats(database: Database, stores: ChatStores, models: ModelStore, content: unknown, name: string): ImportedChats {
  const read = chatFile.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new HostError('import-invalid', `${quoted(name)} is not an export of Longleaf’s chats (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`, 'Choose a file that “Export” wrote.');
  }
  const missing = new Set<string>();
  const conversationIds = database.transaction(() => read.data.conversations.map((chat) => importChat(stores, models, chat, missing)));
  return { conversationIds, missingDocuments: [...missing] };
}

function importChat({ conversations, messages, folders, conversationEvents, documents }: ChatStores, models: ModelStore, chat: FileConversation, missing: Set<string>): string {
  // One that is there already stays as it is: what comes is a copy with names of its own.
  const isCopy = conversations.find(chat.id) !== undefined || messages.anyOf(chat.messages.map(({ id }) => id));
  const renamed = new Map<string, string>();
  const newId = (id: string) => {
    if (!isCopy) return id;
    if (!renamed.has(id)) renamed.set(id, randomUUID());
    return renamed.get(id) ?? id;
  };
  const library = documents.list();
  const documentIds = chat.documents.flatMap(({ id, name, sha256 }) => {
    const known = library.find((document) => document.id === id) ?? library.find((document) => document.sha256 === sha256);
    if (!known) missing.add(name);
    return known ? [known.id] : [];
  });
  const id = newId(chat.id);
  conversations.put({
    id,
    title: chat.title,
    createdAtMs: chat.createdAtMs,
    updatedAtMs: chat.updatedAtMs,
    modelId: chat.modelId !== null && models.find(chat.modelId) ? chat.modelId : null,
    documentIds,
    systemPrompt: chat.systemPrompt,
    sampling: chat.sampling,
    policy: chat.policy,
    folderId: chat.folder === null ? null : folders.named(chat.folder).id,
    pinned: chat.pinned,
    titleIsAutomatic: chat.titleIsAutomatic,
  });
  messages.putAll(id, chat.messages.map((message) => ({ ...message, id: newId(message.id), parentId: message.parentId && newId(message.parentId) })), chat.activeLeafId && newId(chat.activeLeafId));
  for (const event of chat.events) {
    conversationEvents.put({ ...event, id: isCopy ? randomUUID() : event.id, conversationId: id, afterMessageId: event.afterMessageId && newId(event.afterMessageId) });
  }
  return id;
}
