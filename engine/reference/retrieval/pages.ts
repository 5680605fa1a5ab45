/** Reference of the page bounds, in double precision, for one key-value head. Source: Quest (arXiv 2406.10774, §3). */
import { sinkTokens } from '../../retrieval/layout.ts';

export interface PageBounds {
  /** [page][headDim]. */
  minima: Float64Array[];
  maxima: Float64Array[];
}

/** Smallest and largest of each channel of each page of `pageTokens` keys, without rounding. */
export function pageBounds(keys: readonly Float32Array[], pageTokens: number): PageBounds {
  const minima: Float64Array[] = [];
  const maxima: Float64Array[] = [];
  for (let first = 0; first < keys.length; first += pageTokens) {
    const page = keys.slice(first, first + pageTokens);
    minima.push(Float64Array.from(page[0], (_, i) => Math.min(...page.map((key) => key[i]))));
    maxima.push(Float64Array.from(page[0], (_, i) => Math.max(...page.map((key) => key[i]))));
  }
  return { minima, maxima };
}

/** The score of each token for one query: no key within its page's bounds scores higher; -1e30 for sinks. */
export function pageScores(query: ArrayLike<number>, { minima, maxima }: PageBounds, pageTokens: number): number[] {
  const bounds = minima.map((lowest, page) => {
    let sum = 0;
    for (let i = 0; i < lowest.length; i++) sum += Math.max(query[i] * lowest[i], query[i] * maxima[page][i]);
    return sum;
  });
  return Array.from({ length: bounds.length * pageTokens }, (_, token) => (token < sinkTokens ? -1e30 : bounds[Math.floor(token / pageTokens)]));
}
