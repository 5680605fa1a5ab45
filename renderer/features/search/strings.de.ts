/** Die Wörter der Suche auf Deutsch. */
import type { SearchStrings } from './strings.ts';

export const german: SearchStrings = {
  title: 'Chats und Dokumente durchsuchen',
  open: 'Suchen',
  placeholder: 'Wörter, oder „Wörter hintereinander“',
  hint: 'Findet Titel, Fragen, Antworten und den Text von Dokumenten.',
  nothing: 'Nichts gefunden.',
  waiting: (count) => (count === 1 ? 'Ein Dokument ist noch nicht in der Suche.' : `${count} Dokumente sind noch nicht in der Suche.`),
  found: (count) => (count === 1 ? 'Eine Stelle gefunden.' : `${count} Stellen gefunden.`),
  groups: { chats: 'Chats', messages: 'Fragen und Antworten', documents: 'Dokumente' },
  roles: { user: 'Frage', assistant: 'Antwort' },
};
