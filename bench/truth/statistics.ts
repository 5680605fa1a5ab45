/** Means, shares and comparisons with their 95 % confidence intervals. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';

export interface Estimate {
  value: number;
  low: number;
  high: number;
  n: number;
}

/** A value and the document it comes from: values of one document are not independent. */
export interface Observation {
  group: string;
  value: number;
}

const resamples = 1000;

/** Mean over all observations; percentile bootstrap over the documents. */
export function meanOf(observations: readonly Observation[]): Estimate {
  return bootstrap(observations.map(({ group, value }) => ({ group, parts: [value, 1] })), ([sum, count]) => sum / count);
}

/** Ratio of two means over the same cases, e.g. a policy's KL to that of another; bootstrap over the documents. */
export function ratioOf(pairs: readonly { group: string; value: number; base: number }[]): Estimate {
  return bootstrap(pairs.map(({ group, value, base }) => ({ group, parts: [value, base] })), ([sum, baseSum]) => sum / baseSum);
}

/** Mean of paired differences; bootstrap over the documents. */
export function differenceOf(pairs: readonly { group: string; value: number; base: number }[]): Estimate {
  return meanOf(pairs.map(({ group, value, base }) => ({ group, value: value - base })));
}

/** Wilson's interval of a share. */
export function shareOf(successes: number, n: number): Estimate {
  if (n === 0) return { value: NaN, low: 0, high: 1, n };
  const z = 1.96;
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

export type Claim = 'higher' | 'lower' | 'undecided';

/** What may be said of a paired difference (or, around 1, of a ratio): nothing unless its interval leaves `same` out. */
export function claimOf({ low, high, n }: Estimate, same = 0): Claim {
  if (n < 2 || !(low > same || high < same)) return 'undecided';
  return low > same ? 'higher' : 'lower';
}

/** Resamples whole groups: sums the parts of the drawn groups and takes the statistic of the sums. */
function bootstrap(observations: readonly { group: string; parts: readonly [number, number] }[], statistic: (sums: [number, number]) => number): Estimate {
  const groups = new Map<string, [number, number]>();
  for (const { group, parts } of observations) {
    const sums = groups.get(group) ?? [0, 0];
    groups.set(group, [sums[0] + parts[0], sums[1] + parts[1]]);
  }
  const all = [...groups.values()];
  const value = statistic(sumOf(all));
  const n = observations.length;
  if (all.length < 2) return { value, low: -Infinity, high: Infinity, n };
  const random = seededRandom(1);
  const values = Float64Array.from({ length: resamples }, () => statistic(sumOf(all.map(() => all[Math.floor(random() * all.length)])))).sort();
  return { value, low: values[Math.floor(0.025 * resamples)], high: values[Math.ceil(0.975 * resamples) - 1], n };
}

function sumOf(parts: readonly (readonly [number, number])[]): [number, number] {
  return parts.reduce<[number, number]>(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
}
