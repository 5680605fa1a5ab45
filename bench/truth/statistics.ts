/** Means and shares with their 95 % confidence intervals. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  n: number;
}

/** Normal interval of a mean over independent cases. */
export function meanOf(values: readonly number[]): Estimate {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / Math.max(1, n - 1);
  const half = 1.96 * Math.sqrt(variance / n);
  return { value, low: value - half, high: value + half, n };
}

/** Wilson's interval of a share. */
export function shareOf(successes: number, n: number): Estimate {
  const z = 1.96;
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { value: p, low: centre - half, high: centre + half, n };
}
