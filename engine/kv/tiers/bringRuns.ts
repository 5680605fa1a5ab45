/** Long runs of words from RAM to a target that may be mapped memory of the GPU: by other threads, where there are any. */
import type { LongCopies, LongCopy } from '../../ports.ts';

export interface LongRun {
  words: Uint32Array;
  /** Word of the target. */
  place: number;
}

/** What lies side by side in the target is one copy. Without `copies`, or for little, everything is there on return. */
export async function bringRuns(runs: readonly LongRun[], target: Uint32Array, copies: LongCopies | null): Promise<void> {
  const wholeBytes = runs.reduce((sum, { words }) => sum + words.byteLength, 0);
  if (!copies || wholeBytes < copies.fewestBytes) {
    for (const { words, place } of runs) target.set(words, place);
    return;
  }
  await Promise.all(joined(runs, target).map((copy) => copies.copy(copy)));
}

function joined(runs: readonly LongRun[], target: Uint32Array): LongCopy[] {
  const sorted = [...runs].sort((a, b) => a.place - b.place);
  const groups: { from: Uint8Array[]; first: number; end: number }[] = [];
  for (const { words, place } of sorted) {
    const last = groups.at(-1);
    if (last?.end === place) {
      last.from.push(bytesOf(words));
      last.end += words.length;
    } else groups.push({ from: [bytesOf(words)], first: place, end: place + words.length });
  }
  return groups.map(({ from, first, end }) => ({ from, to: bytesOf(target.subarray(first, end)) }));
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
