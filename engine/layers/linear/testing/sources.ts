/** Random weights of every format, from a seed. */
import { floatsToHalves, halvesToFloats } from '../../../formats/half.ts';
import type { TensorTypeName } from '../../../formats/quantisation/tensorTypes.ts';
import type { StoredMatrix, UnpackedMatrix } from '../matrix.ts';
import { storedRowBytes } from '../storedRows.ts';

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  normal(): number;
}

/** Mulberry32: small, seeded and good enough for test data. */
export function randomNumbers(seed: number): Random {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    between: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Codes / block size, `+` with offsets, and how exact the scales are. */
export const sourceKinds = [
  'u4/32 f16',
  'u4/32+ f16',
  'u4/32+ f32',
  'u4/16 f32',
  'u8/32 f16',
  'u8/32+ f32',
  'u8/16 f32',
  'f16',
  'bf16',
  'f32',
] as const;
export type SourceKind = (typeof sourceKinds)[number];

export function randomSource(random: Random, kind: SourceKind, rows: number, columns: number): UnpackedMatrix {
  if (kind === 'f16' || kind === 'bf16' || kind === 'f32') {
    const values = Float32Array.from({ length: rows * columns }, () => random.normal() * 0.1);
    if (kind === 'f32') return { kind: 'float', rows, columns, values, precision: kind };
    if (kind === 'f16') return { kind: 'float', rows, columns, values: halvesToFloats(floatsToHalves(values)), precision: kind };
    const words = new Uint32Array(values.buffer);
    for (let index = 0; index < words.length; index++) words[index] &= 0xffff0000;
    return { kind: 'float', rows, columns, values, precision: kind };
  }
  const bits = kind.startsWith('u4') ? 4 : 8;
  const blockSize = kind.includes('/16') ? 16 : 32;
  const hasOffsets = kind.includes('+');
  const scalesAreHalf = kind.endsWith('f16');
  const exact = (values: Float32Array) => (scalesAreHalf ? halvesToFloats(floatsToHalves(values)) : values);
  const blocks = (rows * columns) / blockSize;
  return {
    kind: 'affine',
    rows: {
      bits,
      blockSize,
      zeroPoint: hasOffsets ? 0 : 2 ** (bits - 1),
      rows,
      columns,
      codes: Uint8Array.from({ length: rows * columns }, () => random.between(0, 2 ** bits - 1)),
      scales: exact(Float32Array.from({ length: blocks }, () => (random.uniform() * 0.2 - 0.05) / 2 ** bits)),
      offsets: hasOffsets ? exact(Float32Array.from({ length: blocks }, () => random.normal() * 0.1)) : undefined,
      scalesAreHalf,
    },
  };
}

/** A matrix in a file, which is `bytes`. */
export function storedMatrix(type: TensorTypeName, bytes: Uint8Array, rows: number, columns: number): StoredMatrix {
  const matrix: StoredMatrix = {
    kind: 'stored',
    type,
    rows,
    columns,
    async readRows(firstRow, target) {
      const start = firstRow * storedRowBytes(matrix);
      target.set(bytes.subarray(start, start + target.length));
    },
  };
  return matrix;
}
