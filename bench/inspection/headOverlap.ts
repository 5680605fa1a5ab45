/** Whether documents agree on which heads of a model fetch what it copies. */
import type { HeadStatistics } from '../../host/contract/inspection.ts';
import { type Quantiles, quantiles } from './quantiles.ts';

/** Layer, head and copy score; the strongest first. */
export type StrongHead = readonly [number, number, number];

const strongest = 10;

export function strongestHeads(heads: readonly Pick<HeadStatistics, 'layer' | 'head' | 'copy' | 'kind'>[]): StrongHead[] {
  return heads
    .filter(({ kind }) => kind === 'full')
    .sort((a, b) => b.copy - a.copy)
    .slice(0, strongest)
    .map(({ layer, head, copy }) => [layer, head, Math.round(copy * 1000) / 1000] as const);
}

/** How many of the strongest heads any two documents have in common. */
export function headOverlap(documents: readonly (readonly StrongHead[])[]): { headOverlap: Quantiles | null; pairs: number } {
  const sets = documents.map((heads) => new Set(heads.map(([layer, head]) => `${layer}.${head}`)));
  const overlaps = sets.flatMap((one, i) => sets.slice(i + 1).map((other) => [...one].filter((head) => other.has(head)).length));
  return { headOverlap: quantiles(overlaps), pairs: overlaps.length };
}
