import { halfToFloat } from '../half.ts';

/** How one type becomes `AffineRows`; the fields are those of `AffineRows`. */
export interface AffineScheme {
  readonly bits: 4 | 8;
  readonly blockSize: 16 | 32;
  readonly zeroPoint: number;
  readonly hasOffsets: boolean;
  readonly scalesAreHalf: boolean;
  /**
   * Unpacks the first `blockCount` blocks of `source`. Codes are handled four at a time, the first in
   * the low byte of its word, because every weight of a model passes here while it loads. `offsets` is
   * empty for schemes without.
   */
  readonly unpack: (
    source: DataView,
    blockCount: number,
    codeWords: Int32Array,
    scales: Float32Array,
    offsets: Float32Array,
  ) => void;
}

/** The half stored little-endian at `offsetBytes`, as a number. */
export function halfIn(source: DataView, offsetBytes: number): number {
  return halfToFloat(source.getUint16(offsetBytes, true));
}

/** Masks that act on the four bytes of a word at once. */
export const lowNibbles = 0x0f0f0f0f;
export const lowPairs = 0x03030303;
export const lowBits = 0x01010101;
