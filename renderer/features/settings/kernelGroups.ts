/** The kernels of a step gathered by name: what a strip of hundreds of them says in a few lines. */
import type { StepTimeline } from '../../../host/contract/machine.ts';

export interface KernelGroup {
  name: string;
  count: number;
  ms: number;
  /** Of the time that all kernels took, gaps between them left out. */
  share: number;
}

/** The slowest first. */
export function groupKernels(kernels: StepTimeline['kernels']): KernelGroup[] {
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  const groups = new Map<string, KernelGroup>();
  for (const { name, ms } of kernels) {
    const group = groups.get(name) ?? { name, count: 0, ms: 0, share: 0 };
    groups.set(name, { ...group, count: group.count + 1, ms: group.ms + ms });
  }
  return [...groups.values()].map((group) => ({ ...group, share: total > 0 ? group.ms / total : 0 })).sort((a, b) => b.ms - a.ms);
}

/** From the first kernel's beginning to the last one's end. */
export function stepMs(kernels: StepTimeline['kernels']): number {
  return kernels.reduce((end, { startMs, ms }) => Math.max(end, startMs + ms), 0);
}

/** Names by their shares of all steps, the largest first: a kernel has one colour wherever it runs. */
export function orderOfKernels(steps: readonly StepTimeline[]): string[] {
  const shares = new Map<string, number>();
  for (const { name, share } of steps.flatMap(({ kernels }) => groupKernels(kernels))) shares.set(name, (shares.get(name) ?? 0) + share);
  return [...shares].sort(([, a], [, b]) => b - a).map(([name]) => name);
}
