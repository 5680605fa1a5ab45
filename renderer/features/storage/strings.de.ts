/** Die Wörter über den Platz auf Deutsch. */
import type { StorageStrings } from './strings.ts';

export const german: StorageStrings = {
  title: 'Speicherplatz',
  lead: 'Alles, was Longleaf aufbewahrt, und wo.',
  total: (bytes) => `${bytes} im Ganzen`,
  free: (bytes) => `${bytes} frei auf dieser Platte`,
  share: 'Was wie viel braucht',
  kinds: { models: 'Modelle', downloads: 'Downloads im Gange', memories: 'Gelesenes', documents: 'Dokumente', chats: 'Chats', backups: 'Sicherungen', linkedModels: 'Modelle an anderen Orten' },
  hints: {
    models: 'Dateien im Datenordner oder in einem Ordner von dir.',
    downloads: 'Teile von Dateien, aufbewahrt, bis sie ganz sind oder verworfen werden.',
    memories: 'Was Modelle von Dokumenten gelesen haben.',
    documents: 'Ihr Text und die Dateien, wie sie hinzugefügt wurden.',
    chats: 'Fragen, Antworten, Einstellungen und das Suchverzeichnis. Text ist klein und wird nie abgelehnt, darum gibt es keine Grenze.',
    backups: 'Kopien der Chats, gemacht, bevor die Datenbank ihre Form ändert.',
    linkedModels: 'Benutzt, wo sie sind: Longleaf löscht sie nicht.',
  },
  limit: (kind) => `Grenze für ${kind}`,
  none: 'keine',
  unit: 'GB',
  limits: 'Grenzen',
  limitsHint: 'In Gigabyte; leer: so viel, wie die Platte hat. Eine niedrigere Grenze löscht nichts: Was sie überschritte, wird abgelehnt, und das wird gesagt.',
  show: (kind) => `${kind} zeigen`,
  open: 'Zeigen',
  folder: 'Datenordner',
};
