import { halfAt, signedByteAt } from './blockBytes.ts';

/**
 * The types with 32 weights a block, one half-float scale and, for the `_1` types, one half-float
 * offset ("ggml quantisation block layouts"). In the 4- and 5-bit types the low nibbles of the 16
 * quant bytes are weights 0–15 and the high nibbles weights 16–31. Each function decodes the block at
 * `start` of `bytes` to `weights[out .. out + 32]`.
 */

export function dequantiseQ4_0(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scale = halfAt(bytes, start);
  for (let lane = 0; lane < 16; lane++) {
    const quants = bytes[start + 2 + lane];
    weights[out + lane] = scale * ((quants & 15) - 8);
    weights[out + 16 + lane] = scale * ((quants >> 4) - 8);
  }
}

export function dequantiseQ4_1(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scale = halfAt(bytes, start);
  const offset = halfAt(bytes, start + 2);
  for (let lane = 0; lane < 16; lane++) {
    const quants = bytes[start + 4 + lane];
    weights[out + lane] = scale * (quants & 15) + offset;
    weights[out + 16 + lane] = scale * (quants >> 4) + offset;
  }
}

/** The fifth bit of weight `lane` is bit `lane` of the 32-bit word before the nibbles. */
export function dequantiseQ5_0(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scale = halfAt(bytes, start);
  for (let lane = 0; lane < 32; lane++) {
    weights[out + lane] = scale * (fiveBitQuant(bytes, start + 2, lane) - 16);
  }
}

export function dequantiseQ5_1(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scale = halfAt(bytes, start);
  const offset = halfAt(bytes, start + 2);
  for (let lane = 0; lane < 32; lane++) {
    weights[out + lane] = scale * fiveBitQuant(bytes, start + 4, lane) + offset;
  }
}

export function dequantiseQ8_0(bytes: Uint8Array, start: number, weights: Float32Array, out: number): void {
  const scale = halfAt(bytes, start);
  for (let lane = 0; lane < 32; lane++) weights[out + lane] = scale * signedByteAt(bytes, start + 2 + lane);
}

/** Quant `lane` of the 4 bytes of fifth bits at `start` and the 16 bytes of nibbles after them. */
function fiveBitQuant(bytes: Uint8Array, start: number, lane: number): number {
  const fifthBit = (bytes[start + (lane >> 3)] >> (lane & 7)) & 1;
  const quants = bytes[start + 4 + (lane & 15)];
  const nibble = lane < 16 ? quants & 15 : quants >> 4;
  return nibble | (fifthBit << 4);
}
