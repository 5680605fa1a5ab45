/**
 * Sizes prefill chunks by time: large enough to keep the adapter busy, small enough that a stop is
 * noticed soon (0.2 s on a GPU, 2 s elsewhere).
 */
const targetMs = { gpu: 100, software: 900 };
const firstRows = { gpu: 256, software: 32 };
/** Matrix kernels work on tiles of rows; whole tiles waste nothing. */
const rowGranularity = 32;

export class ChunkSizer {
  readonly #kind: 'gpu' | 'software';
  readonly #maxRows: number;
  #rowsPerMs: number | null = null;

  constructor(kind: 'gpu' | 'software', maxRows: number) {
    this.#kind = kind;
    this.#maxRows = maxRows;
  }

  /** Rows for the next chunk. */
  get rows(): number {
    if (this.#rowsPerMs === null) return Math.min(firstRows[this.#kind], this.#maxRows);
    const wanted = Math.floor((this.#rowsPerMs * targetMs[this.#kind]) / rowGranularity) * rowGranularity;
    return Math.max(Math.min(rowGranularity, this.#maxRows), Math.min(wanted, this.#maxRows));
  }

  get tokensPerSecond(): number | null {
    return this.#rowsPerMs === null ? null : this.#rowsPerMs * 1000;
  }

  note(rows: number, elapsedMs: number): void {
    // A few rows say nothing about the speed of many.
    if (rows < rowGranularity && this.#rowsPerMs !== null) return;
    const measured = rows / Math.max(elapsedMs, 0.01);
    this.#rowsPerMs = this.#rowsPerMs === null ? measured : 0.5 * this.#rowsPerMs + 0.5 * measured;
  }
}
