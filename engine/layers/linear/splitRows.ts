/** Takes a matrix apart whose rows belong to two in turn. */
import type { SourceMatrix } from './matrix.ts';

/** Rows in runs of `run`: the first, third, … and the second, fourth, …; their number is a multiple of 2 · run. */
export function splitRows(source: SourceMatrix, run: number): [SourceMatrix, SourceMatrix] {
  return [everyOtherRun(source, run, 0), everyOtherRun(source, run, 1)];
}

function everyOtherRun(source: SourceMatrix, run: number, phase: 0 | 1): SourceMatrix {
  if (source.kind === 'float') {
    const { rows, columns, values } = source;
    return { ...source, rows: rows / 2, values: pick(values, rows, columns, run, phase) };
  }
  const { rows, columns, codes, scales, offsets, blockSize } = source.rows;
  const blocks = columns / blockSize;
  return {
    kind: 'affine',
    rows: {
      ...source.rows,
      rows: rows / 2,
      codes: pick(codes, rows, columns, run, phase),
      scales: pick(scales, rows, blocks, run, phase),
      offsets: offsets && pick(offsets, rows, blocks, run, phase),
    },
  };
}

function pick<Values extends Float32Array | Uint8Array>(values: Values, rows: number, perRow: number, run: number, phase: 0 | 1): Values {
  const picked = values.slice(0, (rows / 2) * perRow) as Values;
  for (let to = 0, from = phase * run; from < rows; to += run, from += 2 * run) picked.set(values.subarray(from * perRow, (from + run) * perRow), to * perRow);
  return picked;
}
