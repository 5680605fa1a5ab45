/** Where sentences lie in a text: of an answer they are its claims, of a document its passages. */

export interface Span {
  start: number;
  end: number;
}

/** Abbreviations that a full stop does not end a sentence after. */
const abbreviations = new Set(['mr', 'mrs', 'ms', 'dr', 'st', 'prof', 'vs', 'etc', 'e.g', 'i.e', 'no', 'vol', 'fig', 'al', 'jr', 'sr', 'capt', 'col', 'gen', 'lt', 'rev', 'hon', 'esq', 'a.m', 'p.m']);
const ending = /[.!?…]+["'”’)\]]*(?=\s|$)|[。！？]|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)/gu;
/** No passage is longer, however its text is punctuated. */
const longestCharacters = 600;

/** Sentences in order, without the space between them. */
export function sentencesOf(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  const add = (end: number): void => {
    for (const span of shortened(trimmed(text, start, end))) spans.push(span);
    start = end;
  };
  for (const match of text.matchAll(ending)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith('.') && isAbbreviated(text, match.index)) continue;
    add(end);
  }
  add(text.length);
  return spans;
}

function isAbbreviated(text: string, stop: number): boolean {
  // The number of a list item.
  if (/(?:^|\n)\s*\d+$/u.test(text.slice(Math.max(0, stop - 12), stop))) return true;
  const word = /[\p{L}.]+$/u.exec(text.slice(Math.max(0, stop - 12), stop))?.[0] ?? '';
  return abbreviations.has(word.toLowerCase()) || /^\p{Lu}$/u.test(word);
}

function trimmed(text: string, start: number, end: number): Span {
  while (start < end && /\s/u.test(text[start])) start++;
  while (end > start && /\s/u.test(text[end - 1])) end--;
  return { start, end };
}

function shortened({ start, end }: Span): Span[] {
  const spans: Span[] = [];
  for (let at = start; at < end; at += longestCharacters) spans.push({ start: at, end: Math.min(end, at + longestCharacters) });
  return spans;
}

/** The index of the span that holds `at`, or begins after it; spans in order. The last one where there is none. */
export function spanAt(spans: readonly Span[], at: number): number {
  let low = 0;
  let high = spans.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].end > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
