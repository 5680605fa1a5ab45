import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dequantise } from '../dequantise.ts';
import { encodeTensor, type EncodableTypeName } from './encodeTensor.ts';

/** The largest error allowed for a block whose weights lie within ±1. */
const errorBounds: [EncodableTypeName, number][] = [
  ['F32', 0],
  ['F16', 2 ** -12],
  ['BF16', 2 ** -9],
  ['Q8_0', 0.51 / 127],
  // The side opposite the furthest weight may be cut by one whole step of 1/8.
  ['Q4_0', 1.01 / 8],
  ['Q4_1', 0.51 * (2 / 15) + 2 ** -11],
];

describe('encodeTensor', () => {
  it.each(errorBounds)('keeps %s within its step of the weights', (type, bound) => {
    const block = fc.float32Array({ min: -1, max: 1, noNaN: true, minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(block, block, (first, second) => {
        const weights = Float32Array.of(...first, ...second);
        const decoded = dequantise(type, encodeTensor(type, weights), 64);
        const worst = weights.reduce((most, weight, index) => Math.max(most, Math.abs(weight - decoded[index])), 0);
        expect(worst).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it('keeps zeros zero', () => {
    for (const [type] of errorBounds) {
      expect(dequantise(type, encodeTensor(type, new Float32Array(32)), 32).every((weight) => weight === 0)).toBe(true);
    }
  });
});
