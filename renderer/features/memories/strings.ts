/** The words about memories: what was read and is kept. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  title: 'Memories',
  hint: 'What a model has read of a document is kept on this machine, so that it is never read twice.',
  kept: 'Kept',
  nothing: 'Nothing is kept yet. Memories appear here once a document has been read to its end, or part of it.',
  space: 'Space',
  used: 'Used by memories',
  usedOf: (used: string, quota: string) => `${used} of ${quota}`,
  room: (free: string) => `Room for ${free} more.`,
  quota: 'Limit',
  quotaUnit: 'GB',
  quotaHint: 'In gigabytes; empty for as much as the disk has. A lower limit deletes nothing: it stops further reading.',
  noQuota: 'none',
  columns: { name: 'Memory', model: 'Model', tokens: 'Tokens', size: 'Size', used: 'Last used', tools: 'Tools' },
  chat: (title: string) => `Chat: ${title}`,
  unknownDocument: 'A document that is no longer here',
  unknownChat: 'A chat that is no longer here',
  sparsely: (percent: number, tokens: string) => `Read sparsely from token ${tokens} on: ${percent} % of what came before.`,
  states: { ready: null, reading: 'Not read to its end yet.', damaged: 'Damaged: parts of it have to be read again.' },
  read: (date: string) => `Read ${date}`,
  unknownModel: 'unknown',
  delete: 'Delete',
  deleteNamed: (name: string) => `Delete the memory of “${name}”`,
  deleteTitle: (name: string) => `Delete the memory of “${name}”?`,
  deleteText: (freed: string) => `This frees ${freed}. Documents and chats stay; to be asked about again, it has to be read again.`,
  deleteShared: (freed: string, shared: string) => `This frees ${freed}; ${shared} stay, because other memories need them. Documents and chats stay, too.`,
  deleteNothing: (shared: string) => `This frees nothing yet: all of its ${shared} are needed by other memories, such as chats that go on from it.`,
} as const;

export type MemoriesStrings = Translated<typeof english>;
export const memoriesStrings: MemoriesStrings = localised(english, { de: german, ja: japanese });
