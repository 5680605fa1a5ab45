/** Die Wörter des Lesers auf Deutsch. */
import type { PageUnit } from '../../../host/contract/documentModel.ts';
import type { ReaderStrings } from './strings.ts';

const units: Record<PageUnit, { one: string; many: string }> = {
  page: { one: 'Seite', many: 'Seiten' },
  chapter: { one: 'Kapitel', many: 'Kapitel' },
  sheet: { one: 'Blatt', many: 'Blätter' },
  slide: { one: 'Folie', many: 'Folien' },
  file: { one: 'Datei', many: 'Dateien' },
  part: { one: 'Teil', many: 'Teile' },
};

export const german: ReaderStrings = {
  label: (name) => `Text von ${name}`,
  subtitle: 'Der Text, wie er entnommen wurde: genau, was das Modell lesen wird.',
  pagesSubtitle: 'Die Seiten, wie sie sind. „Text“ zeigt genau, was das Modell lesen wird.',
  extracted: 'Entnommener Text',
  pagesOf: (name) => `Seiten von ${name}`,
  characters: 'Zeichen',
  tokens: 'Token',
  readingTime: 'Lesezeit',
  size: 'Text',
  keptOnDisk: 'Auf der Platte',
  keptHint: (document, memory) => (memory === null ? `Das Dokument: ${document}.` : `Das Dokument: ${document}. Was das Modell behält, wenn es gelesen ist: etwa ${memory}.`),
  aboutKept: (document, memory) => `${document} + etwa ${memory}, wenn gelesen`,
  counting: 'wird gezählt …',
  noModel: 'zum Zählen ein Modell wählen',
  unknownSpeed: 'nach dem ersten Lesen bekannt',
  close: 'Vorschau schließen',
  widen: 'Breiter',
  narrow: 'Schmaler',
  contents: 'Inhalt',
  find: 'Im Dokument suchen',
  findShort: 'Suchen',
  nextMatch: 'Weiter',
  previousMatch: 'Zurück',
  noMatch: 'nichts gefunden',
  matchOf: (match, count, more) => `${match} von ${count}${more ? '+' : ''}`,
  views: 'Wie es gezeigt wird',
  view: { pages: 'Seiten', text: 'Text' },
  unit: (unit) => units[unit].one,
  unitsOf: (unit) => units[unit].many,
  goTo: (unit) => `Gehe zu ${units[unit].one}`,
  of: (count) => `von ${count}`,
  pageLabel: (unit, label) => (unit === 'page' || unit === 'slide' ? `${units[unit].one} ${label}` : label),
  failed: { message: 'Diese Seite konnte nicht gezeichnet werden.', remedy: 'Wähle „Text“, um sie zu lesen.' },
};
