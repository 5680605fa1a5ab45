import { bfloatsToFloats, halvesToFloats } from '../half.ts';

/** Types that hold one number a weight. Files are little-endian, as is every platform with a GPU. */

export function dequantiseF32(bytes: Uint8Array): Float32Array {
  return new Float32Array(alignedCopy(bytes));
}

export function dequantiseF16(bytes: Uint8Array): Float32Array {
  return halvesToFloats(new Uint16Array(alignedCopy(bytes)));
}

export function dequantiseBF16(bytes: Uint8Array): Float32Array {
  return bfloatsToFloats(new Uint16Array(alignedCopy(bytes)));
}

/** Typed arrays of wider numbers must start at a multiple of their size, which a range of a file need not. */
function alignedCopy(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}
