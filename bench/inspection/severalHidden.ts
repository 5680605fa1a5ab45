/** A stretch of a novel with several sentences hidden in it, each asked for by itself. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { needles } from '../needles.ts';
import { stretchOf } from '../truth/haystack.ts';
import type { Place } from './askAndLook.ts';

export interface HiddenSentence extends Place {
  question: string;
  answer: string;
  /** A sentence of the novel of about the same length, far from all that is hidden. */
  other: Place;
}

export interface DocumentWithSentences {
  text: string;
  sentences: readonly HiddenSentence[];
}

export interface SeveralOptions {
  tokenizer: Tokenizer;
  books: readonly string[];
  tokens: number;
  /** Sentences in a document, at even depths. */
  sentences: number;
}

/** The same seed gives the same document. */
export function severalHidden({ tokenizer, books, tokens, sentences }: SeveralOptions, seed: number): DocumentWithSentences {
  const random = seededRandom(seed);
  const hidden = sentencesOfAllKinds(sentences, seed, random);
  const book = stretchOf(books[seed % books.length], random, tokens);
  const { starts } = tokenizer.encodeWithOffsets(book);
  const taken = hidden.reduce((sum, { sentence }) => sum + tokenizer.encode(` ${sentence}`).length, 0);
  const stretch = book.slice(0, starts[Math.min(Math.max(16, tokens - taken), starts.length - 1)]);
  const ends = [...stretch.matchAll(/[.!?]["'”’)]*(?=\s)/g)].map((match) => match.index + match[0].length);
  if (ends.length < 2 * sentences) throw new RangeError(`${tokens} tokens have too few sentences to hide ${sentences} between them`);
  // Each somewhere in its own part of the document, so that no two meet.
  const places = hidden.map((_, i) => ends[Math.floor(((i + 0.2 + 0.6 * random()) * ends.length) / sentences)]);
  let text = '';
  let done = 0;
  const placed = hidden.map(({ sentence, question, answer }, i) => {
    text += `${stretch.slice(done, places[i])} `;
    const start = text.length;
    text += sentence;
    done = places[i];
    return { question, answer, start, end: text.length };
  });
  text += stretch.slice(done);
  return { text, sentences: placed.map((one) => ({ ...one, other: otherPlace(text, placed, one.end - one.start, random) })) };
}

/** No question twice: one kind has a single question. */
function sentencesOfAllKinds(count: number, seed: number, random: () => number) {
  const kinds = Object.entries(needles);
  const again = kinds.filter(([name]) => name !== 'password');
  return Array.from({ length: count }, (_, i) => {
    const [, make] = i < kinds.length ? kinds[(i + seed) % kinds.length] : again[i % again.length];
    return make(seed + i, random);
  });
}

function otherPlace(text: string, hidden: readonly Place[], length: number, random: () => number): Place {
  const starts = Array.from({ length: Math.floor(text.length / length) }, (_, i) => i * length).filter((start) => hidden.every((one) => Math.abs(one.start - start) > 2 * length));
  const start = starts[Math.floor(random() * starts.length)];
  return { start, end: start + length };
}
