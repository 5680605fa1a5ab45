import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloatToFloat,
  bfloatsToFloats,
  floatToBfloat,
  floatToHalf,
  floatsToHalves,
  floatsToHalvesPortable,
  halfToFloat,
  halvesToFloats,
} from './half.ts';

const isNaNHalf = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 1023) !== 0;

describe('halves', () => {
  it('round-trips every one of the 65536 bit patterns', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const back = floatToHalf(halfToFloat(bits));
      if (isNaNHalf(bits)) expect(isNaNHalf(back)).toBe(true);
      else if (back !== bits) expect(back).toBe(bits);
    }
  });

  it.each([
    ['one', 1, 0x3c00],
    ['negative zero', -0, 0x8000],
    ['the largest', 65504, 0x7bff],
    ['just below the tie to infinity', 65519.99, 0x7bff],
    ['the tie to infinity', 65520, 0x7c00],
    ['far too large', 1e300, 0x7c00],
    ['minus infinity', -Infinity, 0xfc00],
    ['the smallest', 2 ** -24, 0x0001],
    ['a tie that rounds down to zero', 2 ** -25, 0x0000],
    ['just above that tie', 2 ** -25 * (1 + 2 ** -40), 0x0001],
    ['a double subnormal', 5e-324, 0x0000],
    ['a tie that rounds to even, down', 1 + 2 ** -11, 0x3c00],
    ['a tie that rounds to even, up', 1 + 3 * 2 ** -11, 0x3c02],
    // Rounding to float32 first would turn this into a tie.
    ['just above a tie', 1 + 2 ** -11 + 2 ** -40, 0x3c01],
    ['the step from subnormal to normal', 2 ** -14 - 2 ** -26, 0x0400],
    ['a carry into the exponent', 2 - 2 ** -12, 0x4000],
  ])('encodes %s', (_, value, bits) => {
    expect(floatToHalf(value)).toBe(bits);
  });

  it('rounds any number to the nearest half', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = floatToHalf(value);
        const error = Math.abs(halfToFloat(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = halfToFloat(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });

  it('encodes and decodes in bulk as one by one, whichever way the platform does it', () => {
    const floats = fc.float32Array({ noNaN: true });
    fc.assert(
      fc.property(floats, (values) => {
        const halves = floatsToHalves(values);
        expect(halves).toEqual(floatsToHalvesPortable(values));
        expect(halvesToFloats(halves)).toEqual(Float32Array.from(halves, halfToFloat));
      }),
    );
  });
});

describe('bfloat16', () => {
  it('round-trips every bit pattern that is a number', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = bfloatToFloat(bits);
      if (Number.isNaN(value)) expect(bfloatToFloat(floatToBfloat(value))).toBeNaN();
      else if (floatToBfloat(value) !== bits) expect(floatToBfloat(value)).toBe(bits);
    }
  });

  it('rounds ties to even and overflows to infinity', () => {
    expect(floatToBfloat(1 + 2 ** -8)).toBe(0x3f80);
    expect(floatToBfloat(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(floatToBfloat(3.4e38)).toBe(0x7f80);
    expect(floatToBfloat(-3.4e38)).toBe(0xff80);
  });

  it('decodes in bulk', () => {
    expect(Array.from(bfloatsToFloats(Uint16Array.of(0x3f80, 0xc000, 0x0000)))).toEqual([1, -2, 0]);
  });
});
