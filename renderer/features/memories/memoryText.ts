/** A memory in words. */
import type { MemoryRecord } from '../../../host/contract/entities.ts';
import { formatBytes } from '../../app/format.ts';
import { memoriesStrings as text } from './strings.ts';

/** The documents that it is of; for what only a chat holds, the chat. */
export function memoryTitle({ users }: Pick<MemoryRecord, 'users'>): string {
  const documents = users.filter(({ kind }) => kind !== 'conversation').map(({ name }) => name ?? text.unknownDocument);
  if (documents.length > 0) return [...new Set(documents)].join(', ');
  return chatNames(users)[0] ?? text.unknownDocument;
}

/** The chats that hold it besides its documents. */
export function memoryChats({ users }: Pick<MemoryRecord, 'users'>): string[] {
  const hasDocument = users.some(({ kind }) => kind !== 'conversation');
  return chatNames(users).slice(hasDocument ? 0 : 1);
}

/** What deleting it would free, and what would stay. */
export function deletionText({ bytes, freedBytes }: Pick<MemoryRecord, 'bytes' | 'freedBytes'>): string {
  if (freedBytes === 0) return text.deleteNothing(formatBytes(bytes));
  if (freedBytes < bytes) return text.deleteShared(formatBytes(freedBytes), formatBytes(bytes - freedBytes));
  return text.deleteText(formatBytes(freedBytes));
}

function chatNames(users: MemoryRecord['users']): string[] {
  return users.filter(({ kind }) => kind === 'conversation').map(({ name }) => (name === null ? text.unknownChat : text.chat(name)));
}
