import { halfIn, type AffineScheme } from './affineScheme.ts';
import { doubledFourBitFloats, sharedPower, unevenSteps } from './tableBlocks.ts';

/**
 * The types whose quants point into a table: a code is the table's entry plus 128. `tableBlocks.ts`
 * explains the layouts.
 */

const table = { bits: 8, blockSize: 32, zeroPoint: 128, hasOffsets: false } as const;

const IQ4_NL: AffineScheme = {
  ...table,
  scalesAreHalf: true,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 18;
      scales[block] = halfIn(source, start);
      lookUp(source, start + 2, codesOfUnevenSteps, codeWords, block * 8);
    }
  },
};

const IQ4_XS: AffineScheme = {
  ...table,
  scalesAreHalf: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 136;
      const scaleOfScales = halfIn(source, start);
      const topPairs = source.getUint16(start + 2, true);
      const nibbles = source.getInt32(start + 4, true);
      for (let subBlock = 0; subBlock < 8; subBlock++) {
        const scale = ((nibbles >>> (4 * subBlock)) & 15) | (((topPairs >> (2 * subBlock)) & 3) << 4);
        scales[block * 8 + subBlock] = scaleOfScales * (scale - 32);
        lookUp(source, start + 8 + 16 * subBlock, codesOfUnevenSteps, codeWords, block * 64 + subBlock * 8);
      }
    }
  },
};

const MXFP4: AffineScheme = {
  ...table,
  scalesAreHalf: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 17;
      scales[block] = sharedPower(source.getUint8(start));
      lookUp(source, start + 1, codesOfFourBitFloats, codeWords, block * 8);
    }
  },
};

export const affineTableBlocks = { IQ4_NL, IQ4_XS, MXFP4 };

const codesOfUnevenSteps = codesOfPairs(unevenSteps);
const codesOfFourBitFloats = codesOfPairs(doubledFourBitFloats);

/** For every byte, the code of its low nibble in the low byte and that of its high nibble in bits 16–23. */
function codesOfPairs(steps: Int8Array): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => (steps[byte & 15] + 128) | ((steps[byte >> 4] + 128) << 16));
}

/** 16 bytes of nibbles, the low ones first, to 8 words of codes. */
function lookUp(source: DataView, start: number, codes: Int32Array, codeWords: Int32Array, out: number): void {
  for (let word = 0; word < 4; word++) {
    const quants = source.getInt32(start + 4 * word, true);
    const first = codes[quants & 255];
    const second = codes[(quants >>> 8) & 255];
    const third = codes[(quants >>> 16) & 255];
    const fourth = codes[quants >>> 24];
    codeWords[out + word] =
      (first & 255) | ((second & 255) << 8) | ((third & 255) << 16) | ((fourth & 255) << 24);
    codeWords[out + 4 + word] = (first >>> 16) | ((second >>> 16) << 8) | (third & 0xff0000) | ((fourth >>> 16) << 24);
  }
}
