/** A stretch of a novel with records planted between its sentences, as a register of ships would be. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { SweepItem } from '../../host/contract/sweep.ts';
import { contentWords } from '../../host/inspector/alignment.ts';
import { overlaps, type Place } from '../inspection/askAndLook.ts';

const first = ['Red', 'Silver', 'Northern', 'Brave', 'Quiet', 'Golden', 'Lonely', 'Proud', 'Swift', 'Distant'];
const second = ['Falcon', 'Thistle', 'Harbour', 'Lantern', 'Dolphin', 'Meadow', 'Comet', 'Anchor', 'Heron', 'Willow'];
const cargoes = ['copper', 'pepper', 'timber', 'wool', 'marble', 'walnuts', 'silk', 'salt', 'tea', 'glass'];
const ports = ['Lisbon', 'Toronto', 'Nairobi', 'Osaka', 'Bergen', 'Havana', 'Cairo', 'Perth', 'Quito', 'Madras'];

export const registerQuestion = 'List every entry of the register of ships.';

export interface PlantedRecord extends Place {
  /** No two records have the same. */
  ship: string;
}

export interface PlantedDocument {
  text: string;
  records: readonly PlantedRecord[];
}

/** The same seed gives the same document; at most a hundred records. */
export function plantedDocument(book: string, { characters, records }: { characters: number; records: number }, seed: number): PlantedDocument {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  const ships = shuffled(first.flatMap((one) => second.map((other) => `${one} ${other}`)), random).slice(0, records);
  // Some stretches of some novels are one paragraph.
  let stretch = '';
  let paragraphs: number[] = [];
  for (let trial = 0; trial < 20 && paragraphs.length < records; trial++) {
    const from = Math.floor(random() * Math.max(1, book.length - characters - 2000));
    stretch = book.slice(from, from + characters);
    paragraphs = [...stretch.matchAll(/\n\s*\n/gu)].map(({ index }) => index);
  }
  if (paragraphs.length < records) throw new RangeError(`${characters} characters have ${paragraphs.length} paragraphs, too few for ${records} records`);
  const places = shuffled(paragraphs, random).slice(0, records).sort((a, b) => a - b);
  let text = '';
  let done = 0;
  const planted = ships.map((ship, i) => {
    text += `${stretch.slice(done, places[i])}\n\n`;
    const start = text.length;
    text += `Register of ships: the ${ship} carried ${pick(cargoes)} to ${pick(ports)}.`;
    done = places[i];
    return { ship, start, end: text.length };
  });
  return { text: text + stretch.slice(done), records: planted };
}

/** Items with the name of a record's ship. */
export function namingItems(items: readonly SweepItem[], { ship }: PlantedRecord): SweepItem[] {
  return items.filter((item) => item.text.toLowerCase().includes(ship.toLowerCase()));
}

const voyageWords = new Set(['carry', 'carries', 'carried', 'carrying', ...cargoes, ...ports.map((port) => port.toLowerCase())]);

/**
 * Those of them that give the record, rightly or not: they are cited at it, or say what its ship carries or where to. A
 * model may also name a person by a ship ("Jonah, the brave Dolphin, pays the fare"), which gives no record.
 */
export function entriesOf(items: readonly SweepItem[], record: PlantedRecord): SweepItem[] {
  const isCitedThere = ({ passages }: SweepItem): boolean => passages.some((place) => place.verified && overlaps(place, record));
  return namingItems(items, record).filter((item) => isCitedThere(item) || contentWords(item.text).some((word) => voyageWords.has(word)));
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const keyed = values.map((value) => ({ value, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
