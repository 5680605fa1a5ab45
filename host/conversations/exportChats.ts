/** Writes chats as JSON that can be imported again, or as Markdown that can be read anywhere. */
import { splitReasoning } from '../contract/reasoning.ts';
import type { ConversationEvent } from '../contract/chatEntities.ts';
import type { Message } from '../contract/entities.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { formatCount } from '../wording.ts';
import { type ChatFile, chatFileFormat, type FileConversation } from './chatFile.ts';
import type { ConversationStore } from './conversationStore.ts';
import type { EventStore } from './eventStore.ts';
import type { FolderStore } from './folderStore.ts';
import type { MessageTree } from './messageTree.ts';

export interface ChatStores {
  conversations: ConversationStore;
  messages: MessageTree;
  folders: FolderStore;
  conversationEvents: EventStore;
  documents: DocumentLibrary;
}

/** `ids` null: all of them. */
export function exportChats(stores: ChatStores, ids: readonly string[] | null, format: 'json' | 'markdown'): { fileName: string; text: string } {
  const wanted = ids ?? stores.conversations.ids();
  const name = wanted.length === 1 ? fileNameOf(stores.conversations.get(wanted[0] ?? '').title) : 'longleaf-chats';
  if (format === 'markdown') return { fileName: `${name}.md`, text: wanted.map((id) => markdownOf(stores, id)).join('\n\n---\n\n') };
  const file: ChatFile = { format: chatFileFormat, version: 1, exportedAtMs: Date.now(), conversations: wanted.map((id) => fileConversationOf(stores, id)) };
  return { fileName: `${name}.json`, text: JSON.stringify(file) };
}

function fileConversationOf({ conversations, messages, folders, conversationEvents, documents }: ChatStores, id: string): FileConversation {
  const { documentIds, folderId, ...conversation } = conversations.get(id);
  return {
    ...conversation,
    titleIsAutomatic: conversations.titleIsAutomatic(id),
    folder: folderId === null ? null : folders.get(folderId).name,
    documents: documentIds.map((documentId) => documents.get(documentId)).map(({ id: documentId, name, sha256 }) => ({ id: documentId, name, sha256 })),
    activeLeafId: messages.activeLeaf(id),
    messages: messages.all(id).map(({ conversationId: _conversation, siblingIndex: _index, siblingIds: _siblings, state, ...message }) => ({
      ...message,
      // What is still being written is exported as far as it has come.
      state: state === 'streaming' ? 'interrupted' : state,
    })),
    events: conversationEvents.list(id).map(({ conversationId: _conversation, ...event }) => event),
  };
}

function markdownOf({ conversations, messages, conversationEvents, documents }: ChatStores, id: string): string {
  const conversation = conversations.get(id);
  const path = messages.path(messages.activeLeaf(id));
  const events = conversationEvents.list(id);
  const after = (messageId: string | null) => events.filter(({ afterMessageId }) => afterMessageId === messageId).map(eventMarkdown);
  return [
    `# ${conversation.title}`,
    ...(conversation.documentIds.length > 0 ? [conversation.documentIds.map((documentId) => `- ${documents.get(documentId).name}`).join('\n')] : []),
    ...(conversation.systemPrompt.trim() === '' ? [] : [quote(conversation.systemPrompt)]),
    ...after(null),
    ...path.flatMap((message) => [messageMarkdown(message), ...after(message.id)]),
  ]
    .join('\n\n')
    .concat('\n');
}

function messageMarkdown({ role, text, modelName, createdAtMs }: Message): string {
  const { reasoning, answer } = splitReasoning(text);
  const when = new Date(createdAtMs).toISOString().slice(0, 16).replace('T', ' ');
  const heading = role === 'user' ? `## Question (${when} UTC)` : `## ${modelName ?? 'Answer'} (${when} UTC)`;
  const body = role === 'user' ? text : answer;
  return [heading, ...(role === 'assistant' && reasoning !== null ? [quote(reasoning)] : []), body].join('\n\n');
}

function eventMarkdown({ details }: ConversationEvent): string {
  switch (details.kind) {
    case 'offloaded':
      return `*From here on, ${formatCount(details.offloadedTokens)} tokens of keys and values lie beyond the GPU.*`;
    case 'stopped':
      return `*Stopped: ${formatCount(details.promptTokens)} of ${formatCount(details.windowTokens)} tokens.*`;
    case 'continued':
      return `*Continued from a summary in “${details.title}”.*`;
    case 'begun':
      return `*Begun from a summary of “${details.title}”:*\n\n${quote(details.summary)}`;
  }
}

function quote(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

function fileNameOf(title: string): string {
  const name = title.replaceAll(/[^\p{L}\p{N} ._-]/gu, '').trim().slice(0, 60).trim();
  return name === '' || name.startsWith('.') ? 'chat' : name;
}
