/**
 * A tile of any part of a prompt by any part of what is before it. The queries of its rows pass through the layers once
 * more, a batch at a time, so the sequence is cut back to where the tile begins and read again from there.
 */
import { type AttentionTile, type InspectedHead, Inspection, type InspectionParts } from './inspection.ts';
import { bucketsOf, columnsOf, type TileShape } from './rangeKernels.ts';

export interface CausalTileOptions {
  /** Of the prompt, and one more than the last row. */
  tokens: readonly number[];
  heads: readonly InspectedHead[];
  /** Rows are positions here. */
  shape: TileShape;
  signal?: AbortSignal;
  /** Rows that are done, of those that are read again. */
  onProgress?: (done: number, total: number) => void;
}

/** Queries that are kept at once: soon noticed when nobody wants the tile any more. */
const mostRowsAtOnce = 1024;

/** Throws `cancelled`. The sequence then ends with the tile's last row. */
export async function causalTile(parts: InspectionParts, { tokens, heads, shape, signal, onProgress }: CausalTileOptions): Promise<AttentionTile> {
  const { firstRow, endRow, rowsPerBucket } = shape;
  const [rows, columns] = [bucketsOf(shape), columnsOf(shape)];
  const whole: AttentionTile = { rows, columns, sums: new Float32Array(rows * columns), peaks: new Float32Array(rows * columns), peakKeys: new Uint32Array(rows * columns) };
  const most = Math.min(mostRowsAtOnce, Inspection.mostRows(parts.runner));
  const wholeBuckets = Math.floor(most / rowsPerBucket);
  for (let first = firstRow; first < endRow; ) {
    onProgress?.(first - firstRow, endRow - firstRow);
    const bucket = Math.floor((first - firstRow) / rowsPerBucket);
    // A bucket that is larger than a batch is gathered from several.
    const end = Math.min(endRow, wholeBuckets > 0 ? first + wholeBuckets * rowsPerBucket : Math.min(first + most, firstRow + (bucket + 1) * rowsPerBucket));
    const inspection = await Inspection.open(parts, { tokens: tokens.slice(0, end + 1), firstRow: first, withLogprobs: false, heads, signal });
    try {
      const batch = { ...shape, firstRow: 0, endRow: end - first, rowsPerBucket: Math.min(rowsPerBucket, end - first) };
      join(whole, await inspection.tile(heads, batch, signal), bucket);
    } finally {
      inspection.free();
    }
    first = end;
  }
  onProgress?.(endRow - firstRow, endRow - firstRow);
  return whole;
}

/** Adds a batch whose first row of buckets is `bucket` of the whole. */
function join(whole: AttentionTile, { rows, columns, sums, peaks, peakKeys }: AttentionTile, bucket: number): void {
  for (let cell = 0; cell < rows * columns; cell++) {
    const target = bucket * columns + cell;
    whole.sums[target] += sums[cell];
    if (peaks[cell] <= whole.peaks[target]) continue;
    whole.peaks[target] = peaks[cell];
    whole.peakKeys[target] = peakKeys[cell];
  }
}
