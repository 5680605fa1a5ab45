/** Die Wörter über neuere Versionen auf Deutsch. */
import type { UpdateStrings } from './updateStrings.ts';

export const german: UpdateStrings = {
  title: 'Aktualisierungen',
  label: 'Neuere Version',
  off: 'Diese Kopie kennt keine Adresse für Aktualisierungen: Sie fragt nie nach welchen.',
  unasked: 'Longleaf fragt nur, wenn du den Knopf drückst.',
  check: 'Nachsehen',
  current: (version) => `Longleaf ${version} ist die neueste Version.`,
  available: (version, size) => `Version ${version} ist da (${size}).`,
  fetch: 'Herunterladen',
  fetched: (version, path) => `Version ${version} ist heruntergeladen und geprüft: ${path}. Deine Chats wurden gesichert. Beende Longleaf, und öffne diese Datei.`,
};
