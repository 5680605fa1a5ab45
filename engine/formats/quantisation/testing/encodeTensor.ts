import { floatToBfloat, floatToHalf, floatsToHalves, halfToFloat } from '../../half.ts';
import { sizeInBytes, tensorType } from '../tensorTypes.ts';

export type EncodableTypeName = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1';

/**
 * Encodes weights as a tensor's bytes, for tests: each block gets the scale that ggml's reference
 * quantisers choose and every weight its nearest step. `weights.length` must be a multiple of the
 * type's block (32 for the `Q` types).
 */
export function encodeTensor(type: EncodableTypeName, weights: Float32Array): Uint8Array {
  if (type === 'F32') return new Uint8Array(weights.slice().buffer);
  if (type === 'F16') return new Uint8Array(floatsToHalves(weights).buffer);
  if (type === 'BF16') return new Uint8Array(Uint16Array.from(weights, floatToBfloat).buffer);

  const { blockElements, blockBytes } = tensorType(type);
  const bytes = new Uint8Array(sizeInBytes(type, weights.length));
  const encodeBlock = { Q8_0: encodeQ8_0, Q4_0: encodeQ4_0, Q4_1: encodeQ4_1 }[type];
  for (let block = 0; block < weights.length / blockElements; block++) {
    const view = new DataView(bytes.buffer, block * blockBytes, blockBytes);
    encodeBlock(weights.subarray(block * blockElements, (block + 1) * blockElements), view);
  }
  return bytes;
}

function encodeQ8_0(weights: Float32Array, block: DataView): void {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const scale = writeHalf(block, 0, largest / 127);
  weights.forEach((weight, lane) => block.setInt8(2 + lane, nearestStep(weight, scale, -127, 127)));
}

/** The weight furthest from 0 becomes step -8, the only one without a positive twin. */
function encodeQ4_0(weights: Float32Array, block: DataView): void {
  const furthest = weights.reduce((most, weight) => (Math.abs(weight) > Math.abs(most) ? weight : most), 0);
  const scale = writeHalf(block, 0, furthest / -8);
  writeNibbles(block, 2, (lane) => nearestStep(weights[lane], scale, -8, 7) + 8);
}

function encodeQ4_1(weights: Float32Array, block: DataView): void {
  const minimum = Math.min(...weights);
  const scale = writeHalf(block, 0, (Math.max(...weights) - minimum) / 15);
  const offset = writeHalf(block, 2, minimum);
  writeNibbles(block, 4, (lane) => nearestStep(weights[lane] - offset, scale, 0, 15));
}

/** Writes a scale and returns it as the file holds it, so that steps are chosen for what will be read. */
function writeHalf(block: DataView, offsetBytes: number, value: number): number {
  const bits = floatToHalf(value);
  block.setUint16(offsetBytes, bits, true);
  return halfToFloat(bits);
}

function nearestStep(weight: number, scale: number, lowest: number, highest: number): number {
  if (scale === 0) return Math.min(Math.max(0, lowest), highest);
  return Math.min(Math.max(Math.round(weight / scale), lowest), highest);
}

/** Weights 0–15 go to low nibbles and 16–31 to high ones. */
function writeNibbles(block: DataView, offsetBytes: number, quantOf: (lane: number) => number): void {
  for (let lane = 0; lane < 16; lane++) {
    block.setUint8(offsetBytes + lane, quantOf(lane) | (quantOf(lane + 16) << 4));
  }
}
