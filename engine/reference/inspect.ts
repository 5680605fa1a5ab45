/** Reference of the inspection's kernels, in double precision: it makes the matrix that they never make. */
import { attendRange, type AttentionProblem, visibleRange } from './attention.ts';

/** Buckets of rows and keys; the last of each may be short. Rows are counted from the problem's first. */
export interface TileShape {
  firstRow: number;
  endRow: number;
  rowsPerBucket: number;
  fromKey: number;
  toKey: number;
  keysPerBucket: number;
}

export interface ReferenceTile {
  /** [buckets of rows][columns]: weights summed over rows, heads and keys. */
  sums: Float64Array;
  peaks: Float64Array;
  /** The position of each peak; 0 where nothing is seen. */
  peakKeys: Uint32Array;
}

/** [rows][heads]. */
export function rowLogSums(problem: AttentionProblem): Float64Array {
  const { rows, heads } = problem;
  return Float64Array.from({ length: rows * heads }, (_, i) => {
    const row = Math.floor(i / heads);
    const [begin, end] = visibleRange(problem, row);
    return attendRange(problem, row, i % heads, begin, end).logSumExp;
  });
}

export function attentionTile(problem: AttentionProblem, chosen: readonly number[], shape: TileShape): ReferenceTile {
  const { heads } = problem;
  const { firstRow, endRow, rowsPerBucket, fromKey, toKey, keysPerBucket } = shape;
  const columns = Math.ceil((toKey - fromKey) / keysPerBucket);
  const cells = columns * Math.ceil((endRow - firstRow) / rowsPerBucket);
  const tile: ReferenceTile = { sums: new Float64Array(cells), peaks: new Float64Array(cells), peakKeys: new Uint32Array(cells) };
  const logSums = rowLogSums(problem);
  for (let row = firstRow; row < endRow; row++) {
    const [begin, end] = visibleRange(problem, row);
    for (const head of chosen) {
      for (let key = Math.max(begin, fromKey); key < Math.min(end, toKey); key++) {
        const weight = Math.exp(attendRange(problem, row, head, key, key + 1).logSumExp - logSums[row * heads + head]);
        const cell = Math.floor((row - firstRow) / rowsPerBucket) * columns + Math.floor((key - fromKey) / keysPerBucket);
        tile.sums[cell] += weight;
        if (weight > tile.peaks[cell]) {
          tile.peaks[cell] = weight;
          tile.peakKeys[cell] = key;
        }
      }
    }
  }
  return tile;
}

export interface RowStatistics {
  sinks: number;
  recent: number;
  previous: number;
  document: number;
  other: number;
  entropy: number;
  peak: number;
  peakKey: number;
}

/** [rows][heads]. `document`: keys [fromKey, toKey), as far as they are neither sinks nor recent. */
export function rowStatistics(problem: AttentionProblem, document: { fromKey: number; toKey: number }, zones: { sinkTokens: number; recentTokens: number }): RowStatistics[] {
  const logSums = rowLogSums(problem);
  return Array.from(logSums, (logSum, i) => {
    const row = Math.floor(i / problem.heads);
    const position = problem.position + row;
    const [begin, end] = visibleRange(problem, row);
    const found: RowStatistics = { sinks: 0, recent: 0, previous: 0, document: 0, other: 0, entropy: 0, peak: 0, peakKey: 0 };
    for (let key = begin; key < end; key++) {
      const surprise = logSum - attendRange(problem, row, i % problem.heads, key, key + 1).logSumExp;
      const weight = Math.exp(-surprise);
      found.entropy += weight * surprise;
      if (key < zones.sinkTokens) found.sinks += weight;
      else if (key + zones.recentTokens > position) {
        found.recent += weight;
        if (key + 1 === position) found.previous += weight;
      } else if (key >= document.fromKey && key < document.toKey) {
        found.document += weight;
        if (weight > found.peak) Object.assign(found, { peak: weight, peakKey: key });
      } else found.other += weight;
    }
    return found;
  });
}
