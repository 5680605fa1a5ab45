/**
 * Writes source weights in the layout of `matmul_weights.wgsl`. Works on a range of columns at a time,
 * so that a matrix goes to the GPU through small staging buffers.
 */
import type { AffineRows } from '../../formats/quantisation/affine.ts';
import { floatsToHalves, floatToHalf } from '../../formats/half.ts';
import { blockWeights, fieldsPerUnit, scaleWordsPerBlock, unitsPerBlock, type WeightFormat } from './format.ts';
import type { SourceMatrix } from './matrix.ts';

/** Rows `firstRow … firstRow + rows − 1` of a source, which become columns of the packed tile range. */
export interface ColumnRange {
  source: SourceMatrix;
  firstRow: number;
  rows: number;
  /** Column of the tile range that receives `firstRow`. */
  column: number;
}

export interface PackedShape {
  format: WeightFormat;
  /** Blocks of 32 along the inputs, padding included. */
  blocks: number;
  tileColumns: number;
}

/** Bytes of codes in one tile of columns. */
export function codeBytesPerTile({ format, blocks, tileColumns }: PackedShape): number {
  return blocks * unitsPerBlock(format) * 16 * tileColumns;
}

/** Bytes of (scale, offset) pairs in one tile of columns. */
export function scaleBytesPerTile({ format, blocks, tileColumns }: PackedShape): number {
  return blocks * scaleWordsPerBlock(format) * 4 * tileColumns;
}

/** Fills `words` (whole tiles, zeroed) with the codes or numbers of the ranges. */
export function packCodes(words: Uint32Array, shape: PackedShape, ranges: readonly ColumnRange[]): void {
  for (const range of ranges) {
    const { source } = range;
    for (let row = 0; row < range.rows; row++) {
      const column = range.column + row;
      if (source.kind === 'float') packFloatColumn(words, shape, column, rowOf(source.values, range.firstRow + row, source.columns));
      else packQuantisedColumn(words, shape, column, rowOf(source.rows.codes, range.firstRow + row, source.rows.columns));
    }
  }
}

/** Fills `bytes` (whole tiles, zeroed) with the (scale, offset) pairs of the ranges. */
export function packScales(words: Uint32Array, shape: PackedShape, ranges: readonly ColumnRange[]): void {
  for (const range of ranges) {
    if (range.source.kind === 'float') continue;
    for (let row = 0; row < range.rows; row++) {
      packScaleColumn(words, shape, range.column + row, range.source.rows, range.firstRow + row);
    }
  }
}

function rowOf<T extends Uint8Array | Float32Array>(values: T, row: number, columns: number): T {
  return values.subarray(row * columns, (row + 1) * columns) as T;
}

/** Word index of unit 0 of block 0 of a column. */
function firstWord(shape: PackedShape, column: number): number {
  const tile = Math.floor(column / shape.tileColumns);
  const unitsPerTile = shape.blocks * unitsPerBlock(shape.format) * shape.tileColumns;
  return (tile * unitsPerTile + (column % shape.tileColumns)) * 4;
}

function packQuantisedColumn(words: Uint32Array, shape: PackedShape, column: number, codes: Uint8Array): void {
  const fields = fieldsPerUnit(shape.format);
  const bits = 32 / fields;
  const weightsPerUnit = fields * 4;
  const stride = shape.tileColumns * 4;
  // The top field's highest bit is flipped, see matmul_weights.wgsl.
  const flip = 0x80000000;
  let place = firstWord(shape, column);
  for (let unit = 0; unit < codes.length; unit += weightsPerUnit, place += stride) {
    const fieldsHere = Math.min(fields, (codes.length - unit) / 4);
    for (let word = 0; word < 4; word++) {
      let packed = flip;
      for (let field = 0; field < fieldsHere; field++) packed ^= codes[unit + field * 4 + word] << (field * bits);
      words[place + word] = packed;
    }
  }
}

function packFloatColumn(words: Uint32Array, shape: PackedShape, column: number, values: Float32Array): void {
  const fields = fieldsPerUnit(shape.format);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = fields === 2 ? floatsToHalves(values) : undefined;
  const stride = shape.tileColumns * 4;
  let place = firstWord(shape, column);
  for (let unit = 0; unit < values.length; unit += fields * 4, place += stride) {
    for (let word = 0; word < 4; word++) {
      const low = unit + word;
      const high = low + 4;
      if (!halves) words[place + word] = low < bits.length ? bits[low] : 0;
      else words[place + word] = (low < halves.length ? halves[low] : 0) | ((high < halves.length ? halves[high] : 0) << 16);
    }
  }
}

function packScaleColumn(words: Uint32Array, shape: PackedShape, column: number, rows: AffineRows, row: number): void {
  const pairsPerBlock = blockWeights / rows.blockSize;
  const wordsPerBlock = scaleWordsPerBlock(shape.format);
  const half = shape.format.scales === 'f16';
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const tile = Math.floor(column / shape.tileColumns);
  const base = (tile * shape.blocks * shape.tileColumns + (column % shape.tileColumns)) * wordsPerBlock;
  const pairs = rows.columns / rows.blockSize;
  for (let pair = 0; pair < pairs; pair++) {
    const scale = rows.scales[row * pairs + pair];
    const offset = rows.offsets ? rows.offsets[row * pairs + pair] : 0;
    const block = Math.floor(pair / pairsPerBlock);
    const place = base + block * shape.tileColumns * wordsPerBlock + (pair % pairsPerBlock) * (half ? 1 : 2);
    if (half) words[place] = floatToHalf(scale) | (floatToHalf(offset) << 16);
    else {
      floats[place] = scale;
      floats[place + 1] = offset;
    }
  }
}
