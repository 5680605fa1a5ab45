/** Takes a matrix apart whose rows belong to two in turn. */
import { allSettled } from '../../allSettled.ts';
import type { StoredMatrix } from './matrix.ts';
import { storedRowBytes } from './storedRows.ts';

/** Rows in runs of `run`: the first, third, … and the second, fourth, …; their number is a multiple of 2 · run. */
export function splitRows(source: StoredMatrix, run: number): [StoredMatrix, StoredMatrix] {
  return [everyOtherRun(source, run, 0), everyOtherRun(source, run, 1)];
}

function everyOtherRun(source: StoredMatrix, run: number, phase: 0 | 1): StoredMatrix {
  const rowBytes = storedRowBytes(source);
  const readRows = async (firstRow: number, target: Uint8Array): Promise<void> => {
    const end = firstRow + target.length / rowBytes;
    const pieces: Promise<void>[] = [];
    for (let row = firstRow; row < end; ) {
      const within = row % run;
      const count = Math.min(run - within, end - row);
      const from = 2 * (row - within) + phase * run + within;
      pieces.push(source.readRows(from, target.subarray((row - firstRow) * rowBytes, (row - firstRow + count) * rowBytes)));
      row += count;
    }
    // All of them, so that nothing is still writing when one has failed.
    await allSettled(pieces);
  };
  return { ...source, rows: source.rows / 2, readRows };
}
