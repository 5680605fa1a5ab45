/** What a suite hides in a document and asks about it. A suite is one function; everything random comes from its seed. */

export interface Hidden {
  text: string;
  /** Where: 0 the start of the document, 1 its end. */
  depth: number;
}

export interface Asked {
  question: string;
  /** How the answer begins; given to the model, so that all are compared on the same words. */
  lead: string;
  /** What must come next, word for word. */
  answer: string;
}

export interface Quiz {
  hidden: readonly Hidden[];
  asked: readonly Asked[];
}

export interface QuizOptions {
  random: () => number;
  /** The stretch of the book that surrounds what is hidden: answers are chosen so that they do not occur in it. */
  haystack: string;
  /** Of what is asked for; null for anywhere. */
  depth: number | null;
  /** Question sets that cannot be made up. */
  questions: QuestionSets;
}

export interface QuestionSets {
  paragraphs: readonly { text: string; asked: readonly { question: string; answer: string }[] }[];
  stories: readonly { facts: readonly string[]; question: string; answer: string }[];
}

export type MakeQuiz = (options: QuizOptions) => Quiz;

export const names = ['Casaubon', 'Lydgate', 'Bulstrode', 'Ladislaw', 'Featherstone', 'Garth', 'Brooke', 'Vincy', 'Farebrother', 'Raffles'];
export const cities = ['Lisbon', 'Toronto', 'Nairobi', 'Osaka', 'Bergen', 'Havana', 'Cairo', 'Perth', 'Quito', 'Madras'];
export const things = ['lantern', 'marble', 'walnut', 'copper', 'thistle', 'anchor', 'velvet', 'pepper', 'falcon', 'quartz', 'saffron', 'cobalt'];

export function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)];
}

/** `count` different ones, in random order. */
export function pickSeveral<T>(random: () => number, from: readonly T[], count: number): T[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(random() * left.length), 1)[0]);
}

/** Those that the haystack does not mention; all of them where it mentions too many. */
export function unmentioned(haystack: string, from: readonly string[], least: number): readonly string[] {
  const absent = from.filter((word) => !haystack.includes(word));
  return absent.length >= least ? absent : from;
}

/** A number of so many digits that the haystack does not hold. */
export function unusedNumber({ random, haystack }: QuizOptions, digits: number): string {
  for (;;) {
    const number = String(Math.floor((1 + 9 * random()) * 10 ** (digits - 1)));
    if (!haystack.includes(number)) return number;
  }
}

/** `count` depths in even stretches, one somewhere in each. */
export function spreadDepths(random: () => number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i + random()) / count);
}
