/**
 * How one key or value vector is stored outside the ring: as halves, or in eight bits with a scale. GPU buffers, RAM
 * and disk hold the same words, so a vector moves between them without being converted.
 */
import { floatToHalf, halfToFloat } from '../../formats/half.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';

export type FarFormat = 'f16' | 'q8';

/** Words (u32) of a vector. */
export function recordWords(format: FarFormat, headDim: number): number {
  return format === 'f16' ? headDim / 2 : eightBitRecordWords(headDim);
}

const word = new DataView(new ArrayBuffer(4));

function floatBits(value: number): number {
  word.setFloat32(0, value, true);
  return word.getUint32(0, true);
}

function floatOfBits(bits: number): number {
  word.setUint32(0, bits, true);
  return word.getFloat32(0, true);
}

/**
 * Writes a vector as `kv_pack.wgsl` does. Eight bits: scale = max|x| / 127, integers rounded to nearest, so no value
 * is further than half a scale from its original.
 */
export function encodeRecord(format: FarFormat, vector: ArrayLike<number>, target: Uint32Array, offset: number): void {
  if (format === 'f16') {
    for (let i = 0; i < vector.length; i += 2) {
      target[offset + i / 2] = (floatToHalf(vector[i]) | (floatToHalf(vector[i + 1]) << 16)) >>> 0;
    }
    return;
  }
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]));
  const scale = Math.fround(largest / 127);
  for (let i = 0; i < vector.length; i += 4) {
    let packed = 0;
    for (let j = 0; j < 4; j++) packed |= ((scale > 0 ? Math.round(vector[i + j] / scale) : 0) & 255) << (8 * j);
    target[offset + i / 4] = packed >>> 0;
  }
  target[offset + vector.length / 4] = floatBits(scale);
}

/** The values that kernels see when they read a stored vector. */
export function decodeRecord(format: FarFormat, words: Uint32Array, offset: number, headDim: number): Float32Array {
  const vector = new Float32Array(headDim);
  if (format === 'f16') {
    for (let i = 0; i < headDim; i++) vector[i] = halfToFloat((words[offset + (i >> 1)] >>> (16 * (i & 1))) & 0xffff);
    return vector;
  }
  const scale = floatOfBits(words[offset + headDim / 4]);
  for (let i = 0; i < headDim; i++) vector[i] = scale * ((words[offset + (i >> 2)] << (24 - 8 * (i & 3))) >> 24);
  return vector;
}
