import { expect, test } from 'vitest';
import { findText, mostMatches } from './findText.ts';

const find = (query: string, text: string) => findText(query, text.length, (start, end) => Promise.resolve(text.slice(start, end)));

test('finds words in any case, over line breaks, and takes them literally', async () => {
  const text = 'The White\nRabbit. (a+b) the  white rabbit';
  const { matches, more } = await find(' white rabbit', text);
  expect(matches.map(({ start, end }) => text.slice(start, end))).toEqual(['White\nRabbit', 'white rabbit']);
  expect(more).toBe(false);
  expect((await find('(A+B)', text)).matches).toEqual([{ start: 18, end: 23 }]);
  expect((await find('   ', text)).matches).toEqual([]);
});

test('finds what lies over the border of two windows once, and says when there is more than it lists', async () => {
  const text = `${'x'.repeat(499_995)}needle here${'x'.repeat(499_990)}needle here`;
  expect((await find('needle here', text)).matches.map(({ start }) => start)).toEqual([499_995, 999_996]);
  const many = await find('a', 'a '.repeat(2 * mostMatches));
  expect({ listed: many.matches.length, more: many.more }).toEqual({ listed: mostMatches, more: true });
});
