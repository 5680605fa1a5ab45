/** The words of going through a whole document. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const english = {
  label: 'Going through whole documents',
  offer: 'This asks for all of something.',
  offerHint: (name: string) => `An answer may leave some out. “${name}” can be gone through in parts, each read whole, and everything found is listed with its place.`,
  start: 'Go through all of it',
  question: 'Question',
  states: { queued: 'Waits', running: 'Going through it', paused: 'Paused', done: 'Done', failed: 'Stopped' },
  progress: (done: number, all: number) => `${done} of ${all} parts`,
  found: (count: number) => plural(count, 'item', 'items'),
  parts: (count: number) => plural(count, 'part', 'parts'),
  pause: 'Pause',
  resume: 'Go on',
  remove: 'Remove',
  open: 'Show what was found',
  progressOf: (question: string) => `Progress of “${question}”`,
  nothingYet: 'Nothing was found yet.',
  nothing: 'Nothing was found.',
  item: 'Item',
  where: 'Where',
  place: (number: number, name: string) => `Place ${number} in ${name}`,
  verified: 'a sentence that says it',
  window: 'the part it came from; no sentence says it in these words',
  coverageTitle: 'Coverage',
  coverage: (read: string, all: string, percent: number) => `Read: ${read} of ${all}, ${percent} % of the text.`,
  gave: (gave: string, empty: string) => `${gave} gave something, ${empty} gave nothing.`,
  unread: (count: string) => `Not read: ${count}.`,
  everything: 'Nothing was left out.',
  limits: 'What is listed is what the model found in each part when it was shown that part alone; it may still have missed something.',
  copy: 'Copy the list',
  unknownDocument: 'a document that is no longer here',
} as const;

export type SweepsStrings = Translated<typeof english>;
export const sweepsStrings: SweepsStrings = localised(english, { de: german, ja: japanese });
