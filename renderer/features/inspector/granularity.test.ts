import { expect, test } from 'vitest';
import { type Granularity, weighedSpans } from './granularity.ts';

const text = 'One two. Three fourfive.\n\nSix seven, eight nine!';
const starts = Uint32Array.from([0, 4, 9, 15, 19, 26, 30, 37, 43]);
const weights = Float32Array.from(starts, (_, i) => (i + 1) / 64);
const names: Granularity[] = ['token', 'word', 'sentence', 'paragraph', 'page'];

test.each(names)('by %s, sums are those of the tokens', (granularity) => {
  const spans = weighedSpans(text, { starts, weights }, granularity);
  expect(spans.reduce((sum, { weight }) => sum + weight, 0)).toBe(weights.reduce((a, b) => a + b, 0));
  for (const [i, { start, end }] of spans.entries()) expect(end > start && (i === 0 || start >= spans[i - 1].end)).toBe(true);
});

test('words are put together from their tokens, paragraphs from their sentences', () => {
  const cut = (granularity: Granularity): string[] => weighedSpans(text, { starts, weights }, granularity).map(({ start, end }) => text.slice(start, end).trim());
  expect(cut('word')).toEqual(['One', 'two', 'Three', 'fourfive', 'Six', 'seven', 'eight', 'nine']);
  expect(cut('sentence')).toEqual(['One two.', 'Three fourfive.', 'Six seven, eight nine!']);
  expect(cut('paragraph')).toEqual(['One two. Three fourfive.', 'Six seven, eight nine!']);
  expect(cut('page')).toEqual([text]);
});
