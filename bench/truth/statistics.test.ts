import { expect, test } from 'vitest';
import { claimOf, differenceOf, meanOf, ratioOf, shareOf } from './statistics.ts';

test("Wilson's interval has the published values", () => {
  // Newcombe 1998, table I: 81 of 263 and 0 of 20.
  expect(shareOf(81, 263)).toMatchObject({ value: 81 / 263, n: 263 });
  expect(shareOf(81, 263).low).toBeCloseTo(0.2553, 4);
  expect(shareOf(81, 263).high).toBeCloseTo(0.3662, 4);
  expect(shareOf(0, 20).low).toBe(0);
  expect(shareOf(0, 20).high).toBeCloseTo(0.1611, 4);
});

test('the interval of a mean is that of normal theory where groups are single and many', () => {
  const observations = Array.from({ length: 400 }, (_, i) => ({ group: String(i), value: i % 20 }));
  const { value, low, high, n } = meanOf(observations);
  expect({ value, n }).toEqual({ value: 9.5, n: 400 });
  const half = (1.96 * Math.sqrt((20 * 20 - 1) / 12)) / Math.sqrt(400);
  expect(low).toBeCloseTo(9.5 - half, 0);
  expect(high).toBeCloseTo(9.5 + half, 0);
  expect(high - low).toBeGreaterThan(1.7 * half);
  expect(high - low).toBeLessThan(2.3 * half);
});

test('values of one document count as one: the interval is wider than their number suggests', () => {
  const single = Array.from({ length: 100 }, (_, i) => ({ group: String(i), value: i % 10 }));
  const tenfold = Array.from({ length: 100 }, (_, i) => ({ group: String(i % 10), value: i % 10 }));
  const width = (observations: typeof single): number => meanOf(observations).high - meanOf(observations).low;
  expect(width(tenfold)).toBeGreaterThan(2.5 * width(single));
});

test('a ratio is that of the means, and pairs that move together leave it certain', () => {
  const pairs = Array.from({ length: 30 }, (_, i) => ({ group: String(i), value: 1.2 * (i + 1), base: i + 1 }));
  const ratio = ratioOf(pairs);
  expect(ratio.value).toBeCloseTo(1.2, 10);
  expect(ratio.low).toBeCloseTo(1.2, 10);
  expect(ratio.high).toBeCloseTo(1.2, 10);
  expect(claimOf(ratio, 1)).toBe('higher');
});

test('a difference is claimed only outside its interval', () => {
  const noisy = Array.from({ length: 40 }, (_, i) => ({ group: String(i), value: i % 2, base: (i + 1) % 2 }));
  expect(differenceOf(noisy).value).toBe(0);
  expect(claimOf(differenceOf(noisy))).toBe('undecided');
  expect(claimOf(differenceOf(noisy.map((pair) => ({ ...pair, value: pair.value - 5 }))))).toBe('lower');
});

test('one document gives no interval and no claim', () => {
  const one = [1, 2, 3].map((value) => ({ group: 'only', value, base: 0 }));
  expect(meanOf(one)).toEqual({ value: 2, low: -Infinity, high: Infinity, n: 3 });
  expect(claimOf(differenceOf(one))).toBe('undecided');
  expect(shareOf(0, 0)).toMatchObject({ low: 0, high: 1, n: 0 });
});
