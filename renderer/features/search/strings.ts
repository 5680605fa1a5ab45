/** The words of the search. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  title: 'Search chats and documents',
  open: 'Search',
  placeholder: 'Words, or “words in a row”',
  hint: 'Finds titles, questions, answers and the text of documents.',
  nothing: 'Nothing was found.',
  waiting: (count: number) => (count === 1 ? 'One document is not in the search yet.' : `${count} documents are not in the search yet.`),
  found: (count: number) => (count === 1 ? 'One place found.' : `${count} places found.`),
  groups: { chats: 'Chats', messages: 'Questions and answers', documents: 'Documents' },
  roles: { user: 'Question', assistant: 'Answer' },
} as const;

export type SearchStrings = Translated<typeof english>;
export const searchStrings: SearchStrings = localised(english, { de: german, ja: japanese });
