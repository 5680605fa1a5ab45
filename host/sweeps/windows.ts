/** Cuts a text into windows that are gone through one by one. Together they are the whole text, each character in one. */
import type { Span } from '../inspector/sentences.ts';

/** About 1,000 tokens: as much as a small model answers about completely. */
export const windowCharacters = 4000;

/** At the ends of paragraphs where there are some, else of sentences, else of words. */
export function windowsOf(text: string, characters = windowCharacters): Span[] {
  const windows: Span[] = [];
  for (let start = 0; start < text.length; ) {
    const limit = Math.min(text.length, start + characters);
    const end = limit === text.length ? limit : start + cutAt(text.slice(start, limit));
    windows.push({ start, end });
    start = end;
  }
  return windows;
}

function cutAt(piece: string): number {
  const half = piece.length / 2;
  for (const boundary of [/\n\s*\n/gu, /[.!?]["'”’)\]]*\s+/gu, /\s+/gu]) {
    const last = [...piece.matchAll(boundary)].at(-1);
    if (last && last.index + last[0].length > half) return last.index + last[0].length;
  }
  return piece.length;
}
