/**
 * Writes source weights in the layout of `matmul_weights.wgsl`. Works on a range of columns at a time,
 * so that a matrix goes to the GPU through small staging buffers.
 */
import type { AffineRows } from '../../formats/quantisation/affine.ts';
import { floatsToHalves } from '../../formats/half.ts';
import { blockWeights, fieldsPerUnit, scaleWordsPerBlock, unitsPerBlock, type WeightFormat } from './format.ts';
import type { UnpackedMatrix } from './matrix.ts';

/** Rows `firstRow … firstRow + rows − 1` of a source, which become columns of the packed tile range. */
export interface ColumnRange {
  source: UnpackedMatrix;
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
  const quads = new Uint32Array(codes.buffer, codes.byteOffset, codes.length / 4);
  const place = firstWord(shape, column);
  const stride = shape.tileColumns * 4;
  const wholeUnits = Math.floor(quads.length / fields);
  if (fields === 8) packNibbleUnits(words, place, stride, quads, wholeUnits);
  else packByteUnits(words, place, stride, quads, wholeUnits);
  const rest = quads.subarray(wholeUnits * fields);
  if (rest.length === 0) return;
  const padded = new Uint32Array(fields);
  padded.set(rest);
  const last = place + wholeUnits * stride;
  if (fields === 8) packNibbleUnits(words, last, stride, padded, 1);
  else packByteUnits(words, last, stride, padded, 1);
}

// Every weight of a model passes through these two: a unit's codes, four a word, become its four words at
// once, by transposing bytes. The top field's highest bit is flipped, see matmul_weights.wgsl.
const flip = 0x80000000;
const evenBytes = 0x00ff00ff;

/** Units of eight quads of 4-bit codes. */
function packNibbleUnits(words: Uint32Array, firstPlace: number, stride: number, quads: Uint32Array, units: number): void {
  let place = firstPlace;
  for (let quad = 0; quad < units * 8; quad += 8, place += stride) {
    transposeBytes(
      words,
      place,
      quads[quad] | (quads[quad + 1] << 4),
      quads[quad + 2] | (quads[quad + 3] << 4),
      quads[quad + 4] | (quads[quad + 5] << 4),
      quads[quad + 6] | (quads[quad + 7] << 4),
    );
  }
}

/** Units of four quads of 8-bit codes. */
function packByteUnits(words: Uint32Array, firstPlace: number, stride: number, quads: Uint32Array, units: number): void {
  let place = firstPlace;
  for (let quad = 0; quad < units * 4; quad += 4, place += stride) {
    transposeBytes(words, place, quads[quad], quads[quad + 1], quads[quad + 2], quads[quad + 3]);
  }
}

/** Word w gets byte w of each of the four, the first lowest. */
function transposeBytes(words: Uint32Array, place: number, first: number, second: number, third: number, fourth: number): void {
  const lowEven = (first & evenBytes) | ((second & evenBytes) << 8);
  const lowOdd = ((first >>> 8) & evenBytes) | (second & ~evenBytes);
  const highEven = (third & evenBytes) | ((fourth & evenBytes) << 8);
  const highOdd = ((third >>> 8) & evenBytes) | (fourth & ~evenBytes);
  words[place] = ((lowEven & 0xffff) | (highEven << 16)) ^ flip;
  words[place + 1] = ((lowOdd & 0xffff) | (highOdd << 16)) ^ flip;
  words[place + 2] = ((lowEven >>> 16) | (highEven & 0xffff0000)) ^ flip;
  words[place + 3] = ((lowOdd >>> 16) | (highOdd & 0xffff0000)) ^ flip;
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
  const pairs = rows.columns / rows.blockSize;
  const scales = rows.scales.subarray(row * pairs, (row + 1) * pairs);
  const offsets = rows.offsets?.subarray(row * pairs, (row + 1) * pairs);
  const pairsPerBlock = blockWeights / rows.blockSize;
  const wordsPerBlock = scaleWordsPerBlock(shape.format);
  const tile = Math.floor(column / shape.tileColumns);
  const base = (tile * shape.blocks * shape.tileColumns + (column % shape.tileColumns)) * wordsPerBlock;
  const stride = shape.tileColumns * wordsPerBlock;
  if (shape.format.scales === 'f16') {
    const halfScales = floatsToHalves(scales);
    const halfOffsets = offsets && floatsToHalves(offsets);
    for (let pair = 0; pair < pairs; pair++) {
      const place = base + Math.floor(pair / pairsPerBlock) * stride + (pair % pairsPerBlock);
      words[place] = halfScales[pair] | ((halfOffsets ? halfOffsets[pair] : 0) << 16);
    }
    return;
  }
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  for (let pair = 0; pair < pairs; pair++) {
    const place = base + Math.floor(pair / pairsPerBlock) * stride + (pair % pairsPerBlock) * 2;
    floats[place] = scales[pair];
    floats[place + 1] = offsets ? offsets[pair] : 0;
  }
}
