import { halfIn, lowBits, lowNibbles, type AffineScheme } from './affineScheme.ts';

/** The types with 32 weights a block and half-float scales; `simpleBlocks.ts` explains the layouts. */

const fourBit = { bits: 4, blockSize: 32, scalesAreHalf: true } as const;
const eightBit = { bits: 8, blockSize: 32, scalesAreHalf: true } as const;

const Q4_0: AffineScheme = {
  ...fourBit,
  zeroPoint: 8,
  hasOffsets: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 18;
      scales[block] = halfIn(source, start);
      unpackNibbles(source, start + 2, codeWords, block * 8);
    }
  },
};

const Q4_1: AffineScheme = {
  ...fourBit,
  zeroPoint: 0,
  hasOffsets: true,
  unpack(source, blockCount, codeWords, scales, offsets) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 20;
      scales[block] = halfIn(source, start);
      offsets[block] = halfIn(source, start + 2);
      unpackNibbles(source, start + 4, codeWords, block * 8);
    }
  },
};

const Q5_0: AffineScheme = {
  ...eightBit,
  zeroPoint: 16,
  hasOffsets: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 22;
      scales[block] = halfIn(source, start);
      unpackFiveBits(source, start + 2, codeWords, block * 8);
    }
  },
};

const Q5_1: AffineScheme = {
  ...eightBit,
  zeroPoint: 0,
  hasOffsets: true,
  unpack(source, blockCount, codeWords, scales, offsets) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 24;
      scales[block] = halfIn(source, start);
      offsets[block] = halfIn(source, start + 2);
      unpackFiveBits(source, start + 4, codeWords, block * 8);
    }
  },
};

/** Signed bytes become codes by flipping their top bit, which adds 128. */
const Q8_0: AffineScheme = {
  ...eightBit,
  zeroPoint: 128,
  hasOffsets: false,
  unpack(source, blockCount, codeWords, scales) {
    const topBits = 0x80808080;
    for (let block = 0; block < blockCount; block++) {
      const start = block * 34;
      scales[block] = halfIn(source, start);
      for (let word = 0; word < 8; word++) {
        codeWords[block * 8 + word] = source.getInt32(start + 2 + 4 * word, true) ^ topBits;
      }
    }
  },
};

export const affineSimpleBlocks = { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 };

/** 16 bytes of nibbles, the low ones first, to 8 words of codes. */
function unpackNibbles(source: DataView, start: number, codeWords: Int32Array, out: number): void {
  for (let word = 0; word < 4; word++) {
    const quants = source.getInt32(start + 4 * word, true);
    codeWords[out + word] = quants & lowNibbles;
    codeWords[out + 4 + word] = (quants >>> 4) & lowNibbles;
  }
}

/** A word of fifth bits and 16 bytes of nibbles to 8 words of codes. */
function unpackFiveBits(source: DataView, start: number, codeWords: Int32Array, out: number): void {
  const fifthBits = source.getInt32(start, true);
  for (let word = 0; word < 4; word++) {
    const quants = source.getInt32(start + 4 + 4 * word, true);
    codeWords[out + word] = (quants & lowNibbles) | (spreadBits(fifthBits >>> (4 * word)) << 4);
    codeWords[out + 4 + word] = ((quants >>> 4) & lowNibbles) | (spreadBits(fifthBits >>> (16 + 4 * word)) << 4);
  }
}

/** Moves each of the low four bits to the bottom of its own byte; the factor's copies never collide. */
function spreadBits(bits: number): number {
  return ((bits & 15) * 0x00204081) & lowBits;
}
