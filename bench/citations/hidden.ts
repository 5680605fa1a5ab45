/** Documents with one passage hidden in a stretch of a novel, and the same without it. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { needles } from '../needles.ts';
import { stretchOf } from '../truth/haystack.ts';
import type { QuestionSets } from '../truth/quiz.ts';

export interface HiddenCase {
  seed: number;
  question: string;
  answer: string;
  /** With the passage, whose characters are [start, end), and without it. */
  text: string;
  start: number;
  end: number;
  without: string;
  /** Another stretch of the novel of about the same length, in `text`. */
  other: { start: number; end: number };
}

export interface HiddenOptions {
  tokenizer: Tokenizer;
  books: readonly string[];
  tokens: number;
  /** Paragraphs with questions; null hides sentences of bench/needles.ts. */
  paragraphs: QuestionSets['paragraphs'] | null;
}

/** The same seed gives the same document. */
export function hiddenCase({ tokenizer, books, tokens, paragraphs }: HiddenOptions, seed: number): HiddenCase {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  const { passage, question, answer } = paragraphs ? paragraphQuestion(pick(paragraphs), random) : sentenceQuestion(seed, random);
  const book = stretchOf(books[seed % books.length], random, tokens);
  const { starts } = tokenizer.encodeWithOffsets(book);
  const left = Math.max(16, tokens - tokenizer.encode(passage).length);
  const stretch = book.slice(0, starts[Math.min(left, starts.length - 1)]);
  const places = [...stretch.matchAll(/[.!?]["'”’)]*\s+(?=\S)/g)].map((match) => match.index + match[0].length);
  const place = places.length > 0 ? pick(places) : 0;
  const text = `${stretch.slice(0, place)}${passage}\n\n${stretch.slice(place)}`;
  const [start, end] = [place, place + passage.length];
  const far = [...places].filter((at) => Math.abs(at - place) > passage.length);
  const otherPlace = far.length > 0 ? pick(far) : 0;
  const shifted = otherPlace > place ? otherPlace + passage.length + 2 : otherPlace;
  return { seed, question, answer, text, start, end, without: stretch, other: { start: shifted, end: Math.min(text.length, shifted + passage.length) } };
}

function paragraphQuestion({ text, asked }: QuestionSets['paragraphs'][number], random: () => number) {
  const { question, answer } = asked[Math.floor(random() * asked.length)];
  return { passage: text, question, answer };
}

function sentenceQuestion(seed: number, random: () => number) {
  const kinds = Object.values(needles);
  const { sentence, question, answer } = kinds[seed % kinds.length](seed, random);
  return { passage: sentence, question, answer };
}
