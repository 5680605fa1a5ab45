/** Documents of an exact number of tokens: a stretch of a book with sentences hidden between its own. */
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { Hidden } from './quiz.ts';

/** More characters a token than any stretch of prose has. */
const charactersPerToken = 8;

/** A stretch that starts with a sentence, long enough for `tokens` tokens. A short text begins again. */
export function stretchOf(book: string, random: () => number, tokens: number): string {
  const needed = charactersPerToken * (tokens + 200);
  // A short text has too few places to begin at, so there the stretch may pass its end.
  const room = book.length > 4 * needed ? book.length - needed : book.length;
  const start = nextSentence(book, Math.floor(random() * room));
  let stretch = book.slice(start, start + needed);
  while (stretch.length < needed) stretch += `\n\n${book.slice(0, needed - stretch.length)}`;
  return stretch;
}

function nextSentence(book: string, from: number): number {
  const end = /[.!?]["'”’)]*\s+(?=\S)/g;
  end.lastIndex = from;
  const match = from > 0 ? end.exec(book) : null;
  return match ? match.index + match[0].length : 0;
}

export interface DocumentParts {
  stretch: string;
  hidden: readonly Hidden[];
  /** Of the result, hidden sentences included. */
  tokens: number;
  /** Tokens at the end in which nothing is hidden. */
  quietTokens: number;
}

/** The document's tokens, exactly as many as asked for. Sentences go where the book's own begin, as near to their depth as can be. */
export function hideInStretch(tokenizer: Tokenizer, { stretch, hidden, tokens, quietTokens }: DocumentParts): number[] {
  const filler = tokenizer.encodeWithOffsets(stretch);
  const sorted = hidden.map(({ text, depth }) => ({ tokens: tokenizer.encode(` ${text}`), depth })).sort((a, b) => a.depth - b.depth);
  const fillerTokens = tokens - sorted.reduce((sum, one) => sum + one.tokens.length, 0);
  const lastPlace = fillerTokens - quietTokens;
  if (lastPlace < 1) throw new RangeError(`what is hidden leaves no room in ${tokens} tokens`);
  if (filler.tokens.length < fillerTokens) throw new RangeError(`a stretch of ${filler.tokens.length} tokens is too short for ${fillerTokens}`);
  const places = sentencePlaces(stretch, filler.starts, lastPlace);
  const document: number[] = [];
  let taken = 0;
  for (const { tokens: sentence, depth } of sorted) {
    const place = Math.max(taken, nearest(places, depth * lastPlace));
    document.push(...filler.tokens.slice(taken, place), ...sentence);
    taken = place;
  }
  document.push(...filler.tokens.slice(taken, fillerTokens));
  return document;
}

/** Tokens before which a sentence ends, up to `last`; the start is one of them. */
function sentencePlaces(text: string, starts: readonly number[], last: number): number[] {
  const tokenAt = new Map<number, number>();
  for (let token = Math.min(last, starts.length - 1); token > 0; token--) tokenAt.set(starts[token], token);
  const places = [0];
  for (const match of text.matchAll(/[.!?]["'”’)]*(?=\s)/g)) {
    const token = tokenAt.get(match.index + match[0].length);
    if (token !== undefined) places.push(token);
  }
  return places;
}

function nearest(places: readonly number[], wanted: number): number {
  return places.reduce((best, place) => (Math.abs(place - wanted) < Math.abs(best - wanted) ? place : best), places[0]);
}
