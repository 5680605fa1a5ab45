/** The causal triangle as a pyramid: one tile at first, four below each, none above the diagonal. */
import type { Tile } from '../../../host/contract/inspection.ts';
import { floatsOf } from './decode.ts';

/** Cells of a tile, each way. */
export const triangleCells = 256;

/** 2^level tiles each way; `row` counts down, `column` to the right. */
export interface TrianglePlace {
  level: number;
  row: number;
  column: number;
}

export const wholeTriangle: TrianglePlace = { level: 0, row: 0, column: 0 };

interface Buckets {
  from: number;
  to: number;
  perBucket: number;
}

/** Levels until a cell is a token. */
export function deepestLevel(promptTokens: number): number {
  return Math.max(0, Math.ceil(Math.log2(promptTokens / triangleCells)));
}

/** Positions that a tile of a prompt shows; each tile is exactly its four children. */
export function bucketsOf({ level, row, column }: TrianglePlace, promptTokens: number): { rows: Buckets; keys: Buckets } {
  const perBucket = 2 ** (deepestLevel(promptTokens) - level);
  const span = perBucket * triangleCells;
  const of = (index: number): Buckets => ({ from: index * span, to: Math.min(promptTokens, (index + 1) * span), perBucket });
  return { rows: of(row), keys: of(column) };
}

/** The tile of the next level that holds a cell; null where a cell is a token already. */
export function childAt(place: TrianglePlace, cell: { row: number; column: number }, promptTokens: number): TrianglePlace | null {
  if (place.level >= deepestLevel(promptTokens)) return null;
  const half = (at: number): number => Number(at >= triangleCells / 2);
  const child = { level: place.level + 1, row: 2 * place.row + half(cell.row), column: 2 * place.column + half(cell.column) };
  return child.column <= child.row ? child : { ...child, column: child.row };
}

export function parentOf({ level, row, column }: TrianglePlace): TrianglePlace {
  return level === 0 ? wholeTriangle : { level: level - 1, row: row >> 1, column: column >> 1 };
}

/** A neighbour that is there; else the tile itself. */
export function neighbourOf(place: TrianglePlace, down: number, right: number, promptTokens: number): TrianglePlace {
  const next = { ...place, row: place.row + down, column: place.column + right };
  return next.column < 0 || next.column > next.row || bucketsOf(next, promptTokens).rows.from >= promptTokens ? place : next;
}

/** [rows][columns]: mean weight of a row on the keys of a cell, over the heads. */
export function weightsOf({ rows, columns, heads, sums }: Tile, shown: { rows: Buckets }): Float32Array {
  const weights = floatsOf(sums);
  for (let row = 0; row < rows; row++) {
    const { from, to, perBucket } = shown.rows;
    const tokens = Math.min(perBucket, to - from - row * perBucket);
    for (let column = 0; column < columns; column++) weights[row * columns + column] /= heads * tokens;
  }
  return weights;
}

/** The cells with most weight that are far from the diagonal and not among the first tokens. */
export function farCells(weights: Float32Array, columns: number, { rows, keys }: { rows: Buckets; keys: Buckets }, count = 6): { row: number; column: number; weight: number }[] {
  const far = rows.perBucket * 8 + 64;
  return [...weights.keys()]
    .map((cell) => ({ row: Math.floor(cell / columns), column: cell % columns, weight: weights[cell] }))
    .filter(({ row, column }) => keys.from + column * keys.perBucket >= 16 && rows.from + row * rows.perBucket - (keys.from + column * keys.perBucket) > far)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}
