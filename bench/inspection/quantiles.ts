/** How figures of many cases are told. */

export interface Quantiles {
  least: number;
  quarter: number;
  median: number;
  threeQuarters: number;
  most: number;
}

/** To three digits; null of nothing. */
export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((1000 * part) / whole) / 1000 : null;
}

export function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(100 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]) / 100;
  return { least: at(0), quarter: at(0.25), median: at(0.5), threeQuarters: at(0.75), most: at(1) };
}
