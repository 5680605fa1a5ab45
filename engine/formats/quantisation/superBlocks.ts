import { halfAt, signedByteAt } from './blockBytes.ts';

/**
 * The "K" types: 256 weights a block, cut into sub-blocks whose small integer scales are themselves
 * scaled by a half-float ("ggml quantisation block layouts"). Each function decodes the block at
 * `start` of `bytes` to `weights[out .. out + 256]`.
 */

/** 16 sub-blocks of 16; a byte each holds a 4-bit scale (low) and a 4-bit minimum (high). */
export function dequantiseQ2_K(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start + 80);
  const scaleOfMinimums = halfAt(bytes, start + 82);
  for (let element = 0; element < 256; element++) {
    const half = element >> 7;
    const plane = (element >> 5) & 3;
    const lane = element & 31;
    const quant = (bytes[start + 16 + 32 * half + lane] >> (2 * plane)) & 3;
    const packed = bytes[start + (element >> 4)];
    weights[out + element] = scaleOfScales * (packed & 15) * quant - scaleOfMinimums * (packed >> 4);
  }
}

/** 16 sub-blocks of 16; signed 6-bit scales; the third bit of a quant is clear where 4 is subtracted. */
export function dequantiseQ3_K(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start + 108);
  for (let element = 0; element < 256; element++) {
    const half = element >> 7;
    const plane = (element >> 5) & 3;
    const lane = element & 31;
    const lowBits = (bytes[start + 32 + 32 * half + lane] >> (2 * plane)) & 3;
    const highBit = (bytes[start + lane] >> (4 * half + plane)) & 1;
    const scale = signedSixBitScale(bytes, start + 96, element >> 4);
    weights[out + element] = scaleOfScales * scale * ((lowBits | (highBit << 2)) - 4);
  }
}

/** Scale `index` (0–15) of the 12 scale bytes of Q3_K: nibbles in the first 8, top bits in the last 4. */
function signedSixBitScale(bytes: Uint8Array, start: number, index: number): number {
  const lowBits = index < 8 ? bytes[start + index] & 15 : bytes[start + index - 8] >> 4;
  const topBits = (bytes[start + 8 + (index & 3)] >> (2 * (index >> 2))) & 3;
  return (lowBits | (topBits << 4)) - 32;
}

/** 8 sub-blocks of 32; each pair of sub-blocks shares 32 bytes, low nibbles first. */
export function dequantiseQ4_K(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start);
  const scaleOfMinimums = halfAt(bytes, start + 2);
  for (let subBlock = 0; subBlock < 8; subBlock++) {
    const scale = scaleOfScales * sixBitScale(bytes, start + 4, subBlock);
    const minimum = scaleOfMinimums * sixBitMinimum(bytes, start + 4, subBlock);
    for (let lane = 0; lane < 32; lane++) {
      const quant = (bytes[start + 16 + 32 * (subBlock >> 1) + lane] >> (4 * (subBlock & 1))) & 15;
      weights[out + 32 * subBlock + lane] = scale * quant - minimum;
    }
  }
}

/** As Q4_K, with a fifth bit a weight: bit `subBlock` of the byte of its lane. */
export function dequantiseQ5_K(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start);
  const scaleOfMinimums = halfAt(bytes, start + 2);
  for (let subBlock = 0; subBlock < 8; subBlock++) {
    const scale = scaleOfScales * sixBitScale(bytes, start + 4, subBlock);
    const minimum = scaleOfMinimums * sixBitMinimum(bytes, start + 4, subBlock);
    for (let lane = 0; lane < 32; lane++) {
      const nibble = (bytes[start + 48 + 32 * (subBlock >> 1) + lane] >> (4 * (subBlock & 1))) & 15;
      const fifthBit = (bytes[start + 16 + lane] >> subBlock) & 1;
      weights[out + 32 * subBlock + lane] = scale * (nibble | (fifthBit << 4)) - minimum;
    }
  }
}

/** The 6-bit scale of a sub-block (0–7) in the 12 scale bytes of Q4_K and Q5_K at `start`. */
function sixBitScale(bytes: Uint8Array, start: number, subBlock: number): number {
  if (subBlock < 4) return bytes[start + subBlock] & 63;
  return (bytes[start + subBlock + 4] & 15) | ((bytes[start + subBlock - 4] >> 6) << 4);
}

/** The 6-bit minimum of a sub-block (0–7) in the same bytes. */
function sixBitMinimum(bytes: Uint8Array, start: number, subBlock: number): number {
  if (subBlock < 4) return bytes[start + subBlock + 4] & 63;
  return (bytes[start + subBlock + 4] >> 4) | ((bytes[start + subBlock] >> 6) << 4);
}

/** 16 sub-blocks of 16 with signed 8-bit scales; 4 low bits in nibbles, 2 top bits apart. */
export function dequantiseQ6_K(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scaleOfScales = halfAt(bytes, start + 208);
  for (let element = 0; element < 256; element++) {
    const half = element >> 7;
    const plane = (element >> 5) & 3;
    const lane = element & 31;
    const nibbles = bytes[start + 64 * half + 32 * (plane & 1) + lane];
    const lowBits = plane < 2 ? nibbles & 15 : nibbles >> 4;
    const topBits = (bytes[start + 128 + 32 * half + lane] >> (2 * plane)) & 3;
    const scale = signedByteAt(bytes, start + 192 + (element >> 4));
    weights[out + element] = scaleOfScales * scale * ((lowBits | (topBits << 4)) - 32);
  }
}
