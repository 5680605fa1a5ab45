import { expect, test } from 'vitest';
import { distributionOf, divergence, mostLikely } from './evaluatePolicy.ts';
import { seededRandom } from './formats/quantisation/testing/seededRandom.ts';

test('a distribution of its logits', () => {
  const { probabilities, logProbabilities, mostLikely: best } = distributionOf(Float32Array.of(Math.log(1), Math.log(2), Math.log(5)));
  [1 / 8, 2 / 8, 5 / 8].forEach((p, i) => {
    expect(probabilities[i]).toBeCloseTo(p, 6);
    expect(logProbabilities[i]).toBeCloseTo(Math.log(p), 6);
  });
  expect(best).toBe(2);
});

test('the divergence of two coins', () => {
  const truth = distributionOf(Float32Array.of(Math.log(0.5), Math.log(0.5)));
  // KL(½, ½ ‖ ¼, ¾) = ½ ln 2 + ½ ln ⅔.
  expect(divergence(truth, Float32Array.of(Math.log(0.25) + 7, Math.log(0.75) + 7))).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 6);
});

test('over a large vocabulary: what the sum of p·ln(p/q) gives, and nothing against itself', () => {
  const random = seededRandom(3);
  const logits = (): Float32Array => Float32Array.from({ length: 50_000 }, () => 30 * (random() - 0.5));
  const [a, b] = [logits(), logits()];
  const exact = (values: Float32Array): number[] => {
    const sum = values.reduce((total, value) => total + Math.exp(value), 0);
    return Array.from(values, (value) => Math.exp(value) / sum);
  };
  const [p, q] = [exact(a), exact(b)];
  const expected = p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]), 0);
  expect(divergence(distributionOf(a), b)).toBeCloseTo(expected, 4);
  expect(Math.abs(divergence(distributionOf(a), a))).toBeLessThan(2e-6);
});

test('huge and equal logits', () => {
  expect(divergence(distributionOf(Float32Array.of(1e4, 0, -1e4)), Float32Array.of(1e4, 0, -1e4))).toBeCloseTo(0, 6);
  expect(mostLikely(Float32Array.of(2, 5, 5))).toBe(1);
});
