/** Attention along a document by tokens, words, sentences, paragraphs or pages: every token's weight is in one of them. */

export type Granularity = 'token' | 'word' | 'sentence' | 'paragraph' | 'page';

export interface WeighedSpan {
  start: number;
  end: number;
  weight: number;
}

/** Of running text, which has no pages of its own. */
const pageCharacters = 2000;

/** Where the units begin that the text is cut into, in order, 0 first. */
function beginnings(text: string, granularity: Granularity, starts: Uint32Array): number[] {
  switch (granularity) {
    case 'token':
      return [...starts];
    case 'word':
    case 'sentence':
      return Array.from(new Intl.Segmenter(undefined, { granularity }).segment(text), ({ index }) => index);
    case 'paragraph':
      return [0, ...Array.from(text.matchAll(/\n\s*\n\s*/gu), (match) => match.index + match[0].length)];
    case 'page':
      return Array.from({ length: Math.ceil(text.length / pageCharacters) }, (_, page) => page * pageCharacters);
  }
}

/** Units with their summed weights, in order; a token belongs to the unit that it begins in. Units without tokens are left out. */
export function weighedSpans(text: string, { starts, weights }: { starts: Uint32Array; weights: Float32Array }, granularity: Granularity): WeighedSpan[] {
  const begins = beginnings(text, granularity, starts);
  const spans: WeighedSpan[] = [];
  let unit = 0;
  let open = -1;
  for (const [token, start] of starts.entries()) {
    while (unit + 1 < begins.length && begins[unit + 1] <= start) unit++;
    if (unit !== open || granularity === 'token') spans.push({ start: granularity === 'token' ? start : begins[unit], end: granularity === 'token' ? (starts[token + 1] ?? text.length) : (begins[unit + 1] ?? text.length), weight: 0 });
    open = unit;
    spans[spans.length - 1].weight += weights[token];
  }
  return spans;
}
