import { halfToFloat } from '../half.ts';

/** The half stored little-endian at `offsetBytes`, as a number. */
export function halfAt(bytes: Uint8Array, offsetBytes: number): number {
  return halfToFloat(bytes[offsetBytes] | (bytes[offsetBytes + 1] << 8));
}

/** The signed byte at `offsetBytes`. */
export function signedByteAt(bytes: Uint8Array, offsetBytes: number): number {
  return (bytes[offsetBytes] << 24) >> 24;
}
