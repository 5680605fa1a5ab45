import { floatToHalf } from '../../half.ts';
import { sizeInBytes, tensorType, type TensorTypeName } from '../tensorTypes.ts';

/** Where the half-floats of each type's block are: random bits there could be infinite or not a number. */
const halfOffsets: Partial<Record<TensorTypeName, readonly number[]>> = {
  F16: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
};

/**
 * `elements` weights of a quantised type, with every field random and half-floats within ±0.1, for
 * tests. `random` gives numbers in [0, 1), as `Math.random` does.
 */
export function randomBlocks(type: TensorTypeName, elements: number, random: () => number): Uint8Array {
  const bytes = Uint8Array.from({ length: sizeInBytes(type, elements) }, () => Math.floor(random() * 256));
  const view = new DataView(bytes.buffer);
  const { blockBytes } = tensorType(type);
  for (let start = 0; start < bytes.length; start += blockBytes) {
    for (const offset of halfOffsets[type] ?? []) {
      view.setUint16(start + offset, floatToHalf((random() * 2 - 1) * 0.1), true);
    }
    // A shared power of two near one: the exponent's bias is 128.
    if (type === 'MXFP4') bytes[start] = 120 + (bytes[start] & 7);
  }
  return bytes;
}
