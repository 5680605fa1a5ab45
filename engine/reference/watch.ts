/** Reference of the kernels that watch heads while an answer is written, in double precision. */
import { attendRange, type AttentionProblem, visibleRange } from './attention.ts';

/** Positions [begin, end). */
export interface ReferencePart {
  begin: number;
  end: number;
  zone: 'sinks' | 'document' | 'other';
}

/** Of a row and a head: log-sum-exps over each part, of its keys before the latest `recentTokens` and of those among them. */
export function partLogSums(problem: AttentionProblem, row: number, head: number, parts: readonly ReferencePart[], recentTokens: number): { older: number; latest: number }[] {
  const [begin, end] = visibleRange(problem, row);
  const recent = problem.position + row + 1 - recentTokens;
  const over = (from: number, to: number): number => (from < to ? attendRange(problem, row, head, from, to).logSumExp : -Infinity);
  return parts.map((part) => ({
    older: over(Math.max(begin, part.begin), Math.min(end, part.end, recent)),
    latest: over(Math.max(begin, part.begin, recent), Math.min(end, part.end)),
  }));
}

/** Of a row and a head: the weight on each part, and by zones; the latest keys are `recent` unless they are the first. */
export function watchedShares(problem: AttentionProblem, row: number, head: number, parts: readonly ReferencePart[], recentTokens: number): { shares: number[]; zones: { sinks: number; recent: number; document: number; other: number } } {
  const sums = partLogSums(problem, row, head, parts, recentTokens);
  const weights = sums.map(({ older, latest }) => ({ older: Math.exp(older), latest: Math.exp(latest) }));
  const total = weights.reduce((sum, { older, latest }) => sum + older + latest, 0);
  const zones = { sinks: 0, recent: 0, document: 0, other: 0 };
  for (const [i, { older, latest }] of weights.entries()) {
    const { zone } = parts[i];
    zones[zone] += older / total;
    zones[zone === 'sinks' ? 'sinks' : 'recent'] += latest / total;
  }
  return { shares: weights.map(({ older, latest }) => (older + latest) / total), zones };
}
