/** Where a stretch of the sequence lies in a layer's cache: [kvHead][slot][headDim], a position in slot `position % slots`. */
import { type KvLayout, kvBytesPerValue } from '../layers/attention/layout.ts';

/** Bytes of one key or value vector. */
export function rowBytesOf({ headDim, format }: KvLayout): number {
  return headDim * kvBytesPerValue(format);
}

/** Runs without a gap, with their place in [kvHead][count] vectors. */
export function cacheRuns(layout: KvLayout, first: number, count: number): { offsetBytes: number; sizeBytes: number; to: number }[] {
  const headBytes = count * rowBytesOf(layout);
  return Array.from({ length: layout.kvHeads }, (_, head) => headRuns(layout, head, first, count).map((run) => ({ ...run, to: head * headBytes + run.to }))).flat();
}

/** The same of one head, with their place in its [count] vectors. */
export function headRuns(layout: KvLayout, head: number, first: number, count: number): { offsetBytes: number; sizeBytes: number; to: number }[] {
  const { capacitySlots } = layout;
  const rowBytes = rowBytesOf(layout);
  const runs = [];
  for (let done = 0; done < count; ) {
    const slot = (first + done) % capacitySlots;
    const tokens = Math.min(count - done, capacitySlots - slot);
    runs.push({ offsetBytes: (head * capacitySlots + slot) * rowBytes, sizeBytes: tokens * rowBytes, to: done * rowBytes });
    done += tokens;
  }
  return runs;
}
