import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAffine, unpackAffine, type AffineRows } from './affine.ts';
import { dequantise } from './dequantise.ts';
import { floatToHalf, halfToFloat } from '../half.ts';
import { tensorType, type TensorTypeName } from './tensorTypes.ts';
import { randomBlocks } from './testing/randomBlocks.ts';
import { seededRandom } from './testing/seededRandom.ts';

/** Type, bits, block size, zero point, offsets, half-float scales: what the packers rely on. */
const schemes: [TensorTypeName, 4 | 8, 16 | 32, number, boolean, boolean][] = [
  ['Q4_0', 4, 32, 8, false, true],
  ['Q4_1', 4, 32, 0, true, true],
  ['Q5_0', 8, 32, 16, false, true],
  ['Q5_1', 8, 32, 0, true, true],
  ['Q8_0', 8, 32, 128, false, true],
  ['Q2_K', 4, 16, 0, true, false],
  ['Q3_K', 4, 16, 4, false, false],
  ['Q4_K', 4, 32, 0, true, false],
  ['Q5_K', 8, 32, 0, true, false],
  ['Q6_K', 8, 16, 32, false, false],
  ['IQ4_NL', 8, 32, 128, false, true],
  ['IQ4_XS', 8, 32, 128, false, false],
  ['MXFP4', 8, 32, 128, false, false],
];

function weightsOf({ codes, scales, offsets, zeroPoint, blockSize }: AffineRows): Float32Array {
  return Float32Array.from(codes, (code, index) => {
    const block = Math.floor(index / blockSize);
    return scales[block] * (code - zeroPoint) + (offsets?.[block] ?? 0);
  });
}

describe('unpackAffine', () => {
  it.each(schemes)('describes %s', (type, bits, blockSize, zeroPoint, hasOffsets, scalesAreHalf) => {
    const columns = 2 * tensorType(type).blockElements;
    const unpacked = unpackAffine(type, randomBlocks(type, 3 * columns, seededRandom(1)), 3, columns);
    expect(unpacked).toMatchObject({ bits, blockSize, zeroPoint, scalesAreHalf, rows: 3, columns });
    expect(unpacked.codes.length).toBe(3 * columns);
    expect(unpacked.scales.length).toBe((3 * columns) / blockSize);
    expect(unpacked.offsets?.length).toBe(hasOffsets ? unpacked.scales.length : undefined);
    expect(unpacked.codes.every((code) => code < 2 ** bits)).toBe(true);
    if (scalesAreHalf) {
      for (const value of [...unpacked.scales, ...(unpacked.offsets ?? [])]) {
        expect(halfToFloat(floatToHalf(value))).toBe(value);
      }
    }
  });

  it.each(schemes)('gives the weights of the reference decoder for random %s', (type) => {
    const shape = { seed: fc.integer(), rows: fc.integer({ min: 1, max: 3 }), blocks: fc.integer({ min: 1, max: 3 }) };
    fc.assert(
      fc.property(fc.record(shape), fc.integer({ min: 0, max: 3 }), ({ seed, rows, blocks }, shift) => {
        const columns = blocks * tensorType(type).blockElements;
        const bytes = randomBlocks(type, rows * columns, seededRandom(seed));
        // Ranges of a file start anywhere, so no alignment may be assumed.
        const shifted = new Uint8Array(shift + bytes.length).subarray(shift);
        shifted.set(bytes);
        const weights = weightsOf(unpackAffine(type, shifted, rows, columns));
        // Both round once from exact products, so they agree to the last bit (-0 and 0 are one weight).
        const reference = dequantise(type, bytes, rows * columns);
        expect(weights.every((weight, index) => weight === reference[index])).toBe(true);
      }),
    );
  });

  it('refuses plain types, unknown types and wrong sizes', () => {
    expect(isAffine('Q4_K')).toBe(true);
    expect(isAffine('F16')).toBe(false);
    expect(() => unpackAffine('F16', new Uint8Array(64), 1, 32)).toThrow(
      'This model holds weights of type F16, which Longleaf cannot compute with.',
    );
    expect(() => unpackAffine('Q4_K', new Uint8Array(144), 1, 128)).toThrow(
      '128 weights are not a whole number of Q4_K blocks, which hold 256.',
    );
    expect(() => unpackAffine('Q4_K', new Uint8Array(144), 2, 256)).toThrow(
      '512 weights of type Q4_K take 288 bytes, but 144 were given.',
    );
  });
});
