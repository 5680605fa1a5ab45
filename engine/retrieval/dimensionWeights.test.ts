import { expect, test } from 'vitest';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { dimensionWeights } from './dimensionWeights.ts';

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('without a norm all dimensions matter alike', () => {
  expect([...dimensionWeights(null, { headDim: 4, rotatedDims: 4, pairing: 'halves' })]).toEqual([1, 1, 1, 1]);
});

test.each(['adjacent', 'halves'] as const)('dimensions that are turned together (%s) matter alike, others for themselves', (pairing) => {
  const random = seededRandom(3);
  const gains = Float32Array.from({ length: 16 }, () => 0.2 + 5 * random());
  const weights = dimensionWeights(gains, { headDim: 16, rotatedDims: 12, pairing });
  expect(mean(weights)).toBeCloseTo(1, 5);
  for (let dimension = 0; dimension < 12; dimension++) {
    const partner = pairing === 'adjacent' ? dimension + 1 - 2 * (dimension % 2) : (dimension + 6) % 12;
    expect(weights[dimension]).toBe(weights[partner]);
    const ratio = ((gains[dimension] ** 2 + gains[partner] ** 2) / 2 / gains[12] ** 2) ** 0.375;
    expect(weights[dimension] / weights[12]).toBeCloseTo(ratio, 4);
  }
});

test('gains of nothing leave a little, and their sign says nothing', () => {
  const weights = dimensionWeights(Float32Array.of(0, -2, 0, 2), { headDim: 4, rotatedDims: 0, pairing: 'halves' });
  expect(weights[1]).toBe(weights[3]);
  expect(weights[0] / weights[1]).toBeCloseTo(1e-3 ** 0.375, 5);
  expect([...dimensionWeights(new Float32Array(2), { headDim: 2, rotatedDims: 2, pairing: 'halves' })]).toEqual([1, 1]);
});

test.each([NaN, Infinity, -Infinity])('a gain of %d teaches nothing', (gain) => {
  expect([...dimensionWeights(Float32Array.of(1, gain, 3, 4), { headDim: 4, rotatedDims: 4, pairing: 'halves' })]).toEqual([1, 1, 1, 1]);
});

test('gains of other heads are refused', () => {
  expect(() => dimensionWeights(new Float32Array(3), { headDim: 4, rotatedDims: 4, pairing: 'halves' })).toThrow('3 gains do not fit heads of 4 dimensions');
});
