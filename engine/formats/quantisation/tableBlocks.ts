import { halfAt } from './blockBytes.ts';

/**
 * The types whose 4-bit quants point into a table of uneven steps ("ggml quantisation block
 * layouts"). Each function decodes the block at `start` of `bytes` to `weights` from `out`.
 */

export const unevenSteps = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** The sixteen E2M1 floats (0, 0.5, 1 … 6 and their negatives), doubled to be whole. */
export const doubledFourBitFloats = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** 32 weights; the nibbles are placed as in Q4_0. */
export function dequantiseIQ4_NL(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  spread(bytes, start + 2, unevenSteps, halfAt(bytes, start), weights, out);
}

/** 256 weights in 8 sub-blocks, each with a signed 6-bit scale and placed as in Q4_0. */
export function dequantiseIQ4_XS(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start);
  for (let subBlock = 0; subBlock < 8; subBlock++) {
    const scale = scaleOfScales * splitScale(bytes, start, subBlock);
    spread(bytes, start + 8 + 16 * subBlock, unevenSteps, scale, weights, out + 32 * subBlock);
  }
}

/** The scale of a sub-block (0–7) of the IQ4_XS block at `start`: two top bits at byte 2, nibbles at 4. */
function splitScale(bytes: Uint8Array, start: number, subBlock: number): number {
  const lowBits = (bytes[start + 4 + (subBlock >> 1)] >> (4 * (subBlock & 1))) & 15;
  const topBits = (bytes[start + 2 + (subBlock >> 2)] >> (2 * (subBlock & 3))) & 3;
  return (lowBits | (topBits << 4)) - 32;
}

/** 32 weights that share a power of two. */
export function dequantiseMXFP4(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  spread(bytes, start + 1, doubledFourBitFloats, sharedPower(bytes[start]), weights, out);
}

/** The scale of an MXFP4 block; 128 rather than 127, because the table is doubled. */
export function sharedPower(exponentByte: number): number {
  return 2 ** (exponentByte - 128);
}

function spread(
  bytes: Uint8Array,
  start: number,
  table: Int8Array,
  scale: number,
  weights: Float32Array,
  out: number,
): void {
  for (let lane = 0; lane < 16; lane++) {
    const quants = bytes[start + lane];
    weights[out + lane] = scale * table[quants & 15];
    weights[out + 16 + lane] = scale * table[quants >> 4];
  }
}
