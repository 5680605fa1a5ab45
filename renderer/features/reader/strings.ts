/** The words of the reader. */
import type { PageUnit } from '../../../host/contract/documentModel.ts';
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const units: Record<PageUnit, { one: string; many: string }> = {
  page: { one: 'Page', many: 'Pages' },
  chapter: { one: 'Chapter', many: 'Chapters' },
  sheet: { one: 'Sheet', many: 'Sheets' },
  slide: { one: 'Slide', many: 'Slides' },
  file: { one: 'File', many: 'Files' },
  part: { one: 'Part', many: 'Parts' },
};

const english = {
  label: (name: string) => `Text of ${name}`,
  subtitle: 'The text as it was extracted, exactly what the model will read.',
  pagesSubtitle: 'The pages as they are. “Text” shows exactly what the model will read.',
  extracted: 'Extracted text',
  pagesOf: (name: string) => `Pages of ${name}`,
  characters: 'Characters',
  tokens: 'Tokens',
  readingTime: 'Time to read',
  size: 'Text',
  keptOnDisk: 'On disk',
  keptHint: (document: string, memory: string | null) =>
    memory === null ? `The document: ${document}.` : `The document: ${document}. What the model keeps once it has read it: about ${memory}.`,
  aboutKept: (document: string, memory: string) => `${document} + about ${memory} once read`,
  counting: 'counting…',
  noModel: 'choose a model to count',
  unknownSpeed: 'known after the first reading',
  close: 'Close the preview',
  widen: 'Wider',
  narrow: 'Narrower',
  contents: 'Contents',
  find: 'Find in the document',
  findShort: 'Find',
  nextMatch: 'Next',
  previousMatch: 'Previous',
  noMatch: 'nothing found',
  matchOf: (match: string, count: string, more: boolean) => `${match} of ${count}${more ? '+' : ''}`,
  views: 'How it is shown',
  view: { pages: 'Pages', text: 'Text' },
  unit: (unit: PageUnit) => units[unit].one,
  unitsOf: (unit: PageUnit) => units[unit].many,
  goTo: (unit: PageUnit) => `Go to ${units[unit].one.toLowerCase()}`,
  of: (count: string) => `of ${count}`,
  pageLabel: (unit: PageUnit, label: string) => (unit === 'page' || unit === 'slide' ? `${units[unit].one} ${label}` : label),
  failed: { message: 'This page could not be drawn.', remedy: 'Choose “Text” to read it.' },
} as const;

export type ReaderStrings = Translated<typeof english>;
export const readerStrings: ReaderStrings = localised(english, { de: german, ja: japanese });
