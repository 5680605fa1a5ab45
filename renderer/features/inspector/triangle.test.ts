import { expect, test } from 'vitest';
import { bucketsOf, childAt, deepestLevel, farCells, neighbourOf, parentOf, weightsOf, wholeTriangle } from './triangle.ts';

const base64 = (...values: number[]): string => btoa(String.fromCharCode(...new Uint8Array(new Float32Array(values).buffer)));

test('tiles of a level cover the prompt, and two of the next level each of them', () => {
  for (const tokens of [1, 255, 1000, 131_072]) {
    for (const level of [0, 1, 3].filter((one) => one <= deepestLevel(tokens))) {
      const rows = Array.from({ length: 2 ** level }, (_, row) => bucketsOf({ level, row, column: 0 }, tokens).rows).filter(({ from, to }) => to > from);
      expect([rows[0].from, rows.at(-1)?.to]).toEqual([0, tokens]);
      for (const [i, { from, to, perBucket }] of rows.entries()) {
        if (i > 0) expect(from).toBe(rows[i - 1].to);
        expect(Math.ceil((to - from) / perBucket)).toBeLessThanOrEqual(256);
        if (perBucket > 1) expect(bucketsOf({ level: level + 1, row: 2 * i, column: 0 }, tokens).rows.from).toBe(from);
      }
    }
  }
});

test('a cell leads to its quarter, never above the diagonal, and not below tokens', () => {
  expect(childAt(wholeTriangle, { row: 200, column: 10 }, 4096)).toEqual({ level: 1, row: 1, column: 0 });
  expect(childAt(wholeTriangle, { row: 200, column: 190 }, 4096)).toEqual({ level: 1, row: 1, column: 1 });
  expect(childAt(wholeTriangle, { row: 10, column: 200 }, 4096)).toEqual({ level: 1, row: 0, column: 0 });
  expect(childAt(wholeTriangle, { row: 10, column: 2 }, 200)).toBeNull();
  expect(parentOf({ level: 2, row: 3, column: 1 })).toEqual({ level: 1, row: 1, column: 0 });
  expect(parentOf(wholeTriangle)).toEqual(wholeTriangle);
});

test('neighbours are tiles of the triangle', () => {
  const place = { level: 2, row: 2, column: 2 };
  expect(neighbourOf(place, 0, 1, 4096)).toEqual(place);
  expect(neighbourOf(place, 1, 0, 4096)).toEqual({ ...place, row: 3 });
  expect(neighbourOf(place, 2, 0, 4096)).toEqual(place);
  // Where the prompt has ended.
  expect(neighbourOf(place, 1, 0, 3000)).toEqual(place);
});

test('weights are means over the rows of a cell, which at the end are fewer', () => {
  const tile = { rows: 2, columns: 2, heads: 2, sums: base64(8, 0, 3, 3), peaks: '', peakKeys: '', cached: false };
  const rows = { from: 0, to: 7, perBucket: 4 };
  expect([...weightsOf(tile, { rows })]).toEqual([1, 0, 0.5, 0.5]);
});

test('what is told of a triangle is neither its diagonal nor its first tokens', () => {
  const weights = new Float32Array(256 * 256);
  for (const [row, column, weight] of [[200, 0, 0.9], [200, 200, 0.8], [200, 50, 0.3], [100, 40, 0.4]]) weights[row * 256 + column] = weight;
  const shown = bucketsOf(wholeTriangle, 2560);
  expect(farCells(weights, 256, shown, 2).map(({ row, column }) => [row, column])).toEqual([[100, 40], [200, 50]]);
});
