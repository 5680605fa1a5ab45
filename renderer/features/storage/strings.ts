/** The words about the room that everything takes. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  title: 'Storage',
  lead: 'Everything that Longleaf keeps, and where.',
  total: (bytes: string) => `${bytes} in all`,
  free: (bytes: string) => `${bytes} free on this disk`,
  share: 'What takes how much',
  kinds: { models: 'Models', downloads: 'Downloads on their way', memories: 'Memories', documents: 'Documents', chats: 'Chats', backups: 'Backups', linkedModels: 'Models in other places' },
  hints: {
    models: 'Files in the data folder, or downloaded to a folder of yours.',
    downloads: 'Parts of files, kept until they are whole or discarded.',
    memories: 'What models have read of documents.',
    documents: 'Their text, and the files as they were added.',
    chats: 'Questions, answers, settings and the search index. Text is small and never refused, so there is no limit.',
    backups: 'Copies of the chats, made before the database changes its form.',
    linkedModels: 'Used where they are: not Longleaf’s to delete.',
  },
  limit: (kind: string) => `Limit for ${kind.toLowerCase()}`,
  none: 'none',
  unit: 'GB',
  limits: 'Limits',
  limitsHint: 'In gigabytes; empty for as much as the disk has. A lower limit deletes nothing: what would pass it is refused, and says so.',
  show: (kind: string) => `Show ${kind.toLowerCase()}`,
  open: 'Show',
  folder: 'Data folder',
} as const;

export type StorageStrings = Translated<typeof english>;
export const storageStrings: StorageStrings = localised(english, { de: german, ja: japanese });
