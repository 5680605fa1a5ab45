import { expect, test } from 'vitest';
import { commonTokens, differenceOf } from './differenceTiles.ts';
import type { MapTile } from './mapTiles.ts';

const tile = (rows: number, columns: number, heads: number, weight: (cell: number) => number): MapTile => ({
  level: 0, x: 0, y: 0, rows, columns, heads,
  sums: Float32Array.from({ length: rows * columns }, (_, cell) => heads * weight(cell)),
  peaks: Float32Array.from({ length: rows * columns }, (_, cell) => weight(cell)),
  peakKeys: new Uint32Array(rows * columns),
});

test('a difference is of means over heads, of the cells that both have', () => {
  const made = differenceOf(tile(2, 3, 4, (cell) => cell / 8), tile(3, 2, 2, (cell) => cell / 4));
  expect(made).toMatchObject({ rows: 2, columns: 2, heads: 1, signed: true });
  // [0 1 2; 3 4 5] / 8 less [0 1; 2 3; …] / 4.
  expect([...made.sums]).toEqual([0, 1 / 8 - 1 / 4, 3 / 8 - 2 / 4, 4 / 8 - 3 / 4]);
  expect([...made.peaks]).toEqual([...made.sums]);
});

test('two answers share their beginning', () => {
  expect(commonTokens(['The', ' code'], ['The', ' code', ' is'])).toBe(2);
  expect(commonTokens(['The', ' code'], ['The', ' word'])).toBe(1);
  expect(commonTokens([], ['a'])).toBe(0);
});
