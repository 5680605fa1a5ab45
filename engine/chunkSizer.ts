/**
 * Sizes prefill chunks by time: large enough to keep the adapter busy, small enough that a stop is
 * noticed soon (0.2 s on a GPU, where two chunks are under way, 2 s elsewhere). What lies beyond the GPU must be
 * brought there once for each chunk; then chunks are as large as it takes for that to be a small share of the time. Such
 * a chunk can be stopped on its way.
 */
const targetMs = { gpu: 95, software: 900 };
const firstRows = { gpu: 256, software: 32 };
/** Matrix kernels work on tiles of rows; whole tiles waste nothing. */
const rowGranularity = { gpu: 128, software: 32 };
/** A chunk of fewer rows is computed in another order: by other kernels than tiles, or with its keys divided. */
const fewestTileRows = { gpu: 65, software: 0 };
/** Of the time of a chunk, that something is on its way to the GPU; less where it overlaps with computing. */
export const largestUploadShare = 0.3;
/** Until it is measured: what a mapped buffer takes. */
const firstUploadBytesPerMs = 5e6;

export interface Chunk {
  rows: number;
  elapsedMs: number;
  /** What came from beyond the GPU, and for how long. */
  upload?: { bytes: number; ms: number };
}

export class ChunkSizer {
  readonly #kind: 'gpu' | 'software';
  readonly #maxRows: number;
  readonly #maxChunkRows: number;
  #rowsPerMs: number | null = null;
  /** Without what is spent on uploads. */
  #computedRowsPerMs: number | null = null;
  #uploadBytesPerMs = firstUploadBytesPerMs;

  /** `maxRows`: rows of a chunk whose keys are all on the GPU, at most. */
  constructor(kind: 'gpu' | 'software', maxRows: number, maxChunkRows = maxRows) {
    this.#kind = kind;
    this.#maxRows = maxRows;
    this.#maxChunkRows = maxChunkRows;
  }

  /**
   * Rows for the next chunk of `left`. No few are left behind for the last one, if it can be helped: which rows those are
   * would follow from how fast the adapter was, and the last digits of what is computed, too.
   */
  chunkOf(left: number, farBytes = 0): number {
    const rows = Math.min(left, this.rows(farBytes));
    const behind = left - rows;
    const tile = rowGranularity[this.#kind];
    if (behind === 0 || behind >= fewestTileRows[this.#kind] || rows < tile) return rows;
    return rows > tile ? rows - tile : Math.min(left, this.#maxRows);
  }

  /** Rows for the next chunk, for which `farBytes` must come from beyond the GPU. */
  rows(farBytes = 0): number {
    const byTime = this.#rowsByTime();
    if (farBytes === 0 || this.#computedRowsPerMs === null) return byTime;
    const uploadMs = farBytes / this.#uploadBytesPerMs;
    const computeMs = uploadMs * (1 / largestUploadShare - 1);
    const granularity = rowGranularity[this.#kind];
    const wanted = Math.ceil((computeMs * this.#computedRowsPerMs) / granularity) * granularity;
    return Math.max(byTime, Math.min(wanted, this.#maxChunkRows));
  }

  get tokensPerSecond(): number | null {
    return this.#rowsPerMs === null ? null : this.#rowsPerMs * 1000;
  }

  note({ rows, elapsedMs, upload }: Chunk): void {
    // Large enough, what is measured follows the length; a few rows say nothing about the speed of many.
    if (rows < rowGranularity.software && this.#rowsPerMs !== null) return;
    this.#rowsPerMs = average(this.#rowsPerMs, rows / Math.max(elapsedMs, 0.01));
    const uploadMs = upload?.ms ?? 0;
    // How much of the upload the GPU waited for is not known: assuming all of it makes chunks larger, not smaller.
    const computedMs = Math.max(elapsedMs - uploadMs, elapsedMs / 10, 0.01);
    this.#computedRowsPerMs = average(this.#computedRowsPerMs, rows / computedMs);
    if (upload && upload.bytes > 0) this.#uploadBytesPerMs = average(this.#uploadBytesPerMs, upload.bytes / Math.max(upload.ms, 0.01));
  }

  #rowsByTime(): number {
    if (this.#rowsPerMs === null) return Math.min(firstRows[this.#kind], this.#maxRows);
    const byTime = this.#rowsPerMs * targetMs[this.#kind];
    // A slow GPU does without whole tiles before it does without stopping soon.
    const granularity = byTime < rowGranularity[this.#kind] ? rowGranularity.software : rowGranularity[this.#kind];
    const wanted = Math.floor(byTime / granularity) * granularity;
    return Math.max(Math.min(granularity, this.#maxRows), Math.min(wanted, this.#maxRows));
  }
}

function average(before: number | null, measured: number): number {
  return before === null ? measured : 0.5 * before + 0.5 * measured;
}
