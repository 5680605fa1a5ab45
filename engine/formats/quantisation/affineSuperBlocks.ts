import { halfIn, lowBits, lowNibbles, lowPairs, type AffineScheme } from './affineScheme.ts';

/**
 * The "K" types: scales and offsets are products of a half-float and a small integer, exact in
 * float32 but not in 16 bits. `superBlocks.ts` explains the layouts.
 */

const fine = { blockSize: 16, scalesAreHalf: false } as const;
const coarse = { blockSize: 32, scalesAreHalf: false } as const;

const Q2_K: AffineScheme = {
  ...fine,
  bits: 4,
  zeroPoint: 0,
  hasOffsets: true,
  unpack(source, blockCount, codeWords, scales, offsets) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 84;
      const scaleOfScales = halfIn(source, start + 80);
      const scaleOfMinimums = halfIn(source, start + 82);
      for (let subBlock = 0; subBlock < 16; subBlock++) {
        const packed = source.getUint8(start + subBlock);
        scales[block * 16 + subBlock] = scaleOfScales * (packed & 15);
        offsets[block * 16 + subBlock] = -scaleOfMinimums * (packed >> 4);
      }
      for (let word = 0; word < 16; word++) {
        const quants = source.getInt32(start + 16 + 4 * word, true);
        const out = block * 64 + firstPlaneWord(word);
        for (let plane = 0; plane < 4; plane++) codeWords[out + 8 * plane] = (quants >>> (2 * plane)) & lowPairs;
      }
    }
  },
};

const Q3_K: AffineScheme = {
  ...fine,
  bits: 4,
  zeroPoint: 4,
  hasOffsets: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 110;
      const scaleOfScales = halfIn(source, start + 108);
      const firstNibbles = source.getInt32(start + 96, true);
      const secondNibbles = source.getInt32(start + 100, true);
      const pairs = source.getInt32(start + 104, true);
      for (let group = 0; group < 4; group++) {
        // Scales 4·group … 4·group + 3, one a byte.
        const nibbles = (group & 1 ? secondNibbles : firstNibbles) >>> (4 * (group >> 1));
        const packed = (nibbles & lowNibbles) | (((pairs >>> (2 * group)) & lowPairs) << 4);
        for (let lane = 0; lane < 4; lane++) {
          scales[block * 16 + 4 * group + lane] = scaleOfScales * (((packed >>> (8 * lane)) & 63) - 32);
        }
      }
      for (let word = 0; word < 16; word++) {
        const quants = source.getInt32(start + 32 + 4 * word, true);
        // The second half of the weights reads the upper four bits of the same bytes.
        const highBits = source.getInt32(start + 4 * (word & 7), true) >>> (4 * (word >> 3));
        const out = block * 64 + firstPlaneWord(word);
        for (let plane = 0; plane < 4; plane++) {
          codeWords[out + 8 * plane] = ((quants >>> (2 * plane)) & lowPairs) | (((highBits >>> plane) & lowBits) << 2);
        }
      }
    }
  },
};

const Q4_K: AffineScheme = {
  ...coarse,
  bits: 4,
  zeroPoint: 0,
  hasOffsets: true,
  unpack(source, blockCount, codeWords, scales, offsets) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 144;
      unpackSixBitPairs(source, start, scales, offsets, block * 8);
      for (let word = 0; word < 32; word++) {
        const quants = source.getInt32(start + 16 + 4 * word, true);
        const out = block * 64 + 16 * (word >> 3) + (word & 7);
        codeWords[out] = quants & lowNibbles;
        codeWords[out + 8] = (quants >>> 4) & lowNibbles;
      }
    }
  },
};

const Q5_K: AffineScheme = {
  ...coarse,
  bits: 8,
  zeroPoint: 0,
  hasOffsets: true,
  unpack(source, blockCount, codeWords, scales, offsets) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 176;
      unpackSixBitPairs(source, start, scales, offsets, block * 8);
      for (let word = 0; word < 32; word++) {
        const quants = source.getInt32(start + 48 + 4 * word, true);
        const pair = word >> 3;
        const fifthBits = source.getInt32(start + 16 + 4 * (word & 7), true) >>> (2 * pair);
        const out = block * 64 + 16 * pair + (word & 7);
        codeWords[out] = (quants & lowNibbles) | ((fifthBits & lowBits) << 4);
        codeWords[out + 8] = ((quants >>> 4) & lowNibbles) | (((fifthBits >>> 1) & lowBits) << 4);
      }
    }
  },
};

const Q6_K: AffineScheme = {
  ...fine,
  bits: 8,
  zeroPoint: 32,
  hasOffsets: false,
  unpack(source, blockCount, codeWords, scales) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * 210;
      const scaleOfScales = halfIn(source, start + 208);
      for (let subBlock = 0; subBlock < 16; subBlock++) {
        scales[block * 16 + subBlock] = scaleOfScales * source.getInt8(start + 192 + subBlock);
      }
      for (let word = 0; word < 16; word++) {
        const firstNibbles = source.getInt32(start + 64 * (word >> 3) + 4 * (word & 7), true);
        const secondNibbles = source.getInt32(start + 64 * (word >> 3) + 32 + 4 * (word & 7), true);
        const topBits = source.getInt32(start + 128 + 4 * word, true);
        const out = block * 64 + firstPlaneWord(word);
        codeWords[out] = (firstNibbles & lowNibbles) | ((topBits & lowPairs) << 4);
        codeWords[out + 8] = (secondNibbles & lowNibbles) | (((topBits >>> 2) & lowPairs) << 4);
        codeWords[out + 16] = ((firstNibbles >>> 4) & lowNibbles) | (((topBits >>> 4) & lowPairs) << 4);
        codeWords[out + 24] = ((secondNibbles >>> 4) & lowNibbles) | (((topBits >>> 6) & lowPairs) << 4);
      }
    }
  },
};

export const affineSuperBlocks = { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K };

/**
 * Where the codes of the lowest bits of word `word` (0–15) of a two-bit plane go: each 8 words serve
 * 32 lanes of half a block, whose four planes lie 8 words of codes apart.
 */
function firstPlaneWord(word: number): number {
  return 32 * (word >> 3) + (word & 7);
}

/** The two half-floats and 12 bytes at the head of Q4_K and Q5_K, to 8 scales and 8 offsets at `out`. */
function unpackSixBitPairs(
  source: DataView,
  start: number,
  scales: Float32Array,
  offsets: Float32Array,
  out: number,
): void {
  const scaleOfScales = halfIn(source, start);
  const scaleOfMinimums = halfIn(source, start + 2);
  for (let lane = 0; lane < 4; lane++) {
    const first = source.getUint8(start + 4 + lane);
    const second = source.getUint8(start + 8 + lane);
    const third = source.getUint8(start + 12 + lane);
    scales[out + lane] = scaleOfScales * (first & 63);
    offsets[out + lane] = -scaleOfMinimums * (second & 63);
    scales[out + 4 + lane] = scaleOfScales * ((third & 15) | ((first >> 6) << 4));
    offsets[out + 4 + lane] = -scaleOfMinimums * ((third >> 4) | ((second >> 6) << 4));
  }
}
