/**
 * How many far tokens may go to the GPU at once, so that a stop is noticed soon: the more rows attend to them, the fewer.
 */
const targetMs = { gpu: 40, software: 400 };

export class WindowPace {
  readonly #targetMs: number;
  /** Pairs of a row and a far token in a layer. */
  #pairsPerMs: number | null = null;

  constructor(kind: 'gpu' | 'software') {
    this.#targetMs = targetMs[kind];
  }

  note(rows: number, tokens: number, elapsedMs: number): void {
    const measured = (rows * tokens) / Math.max(elapsedMs, 0.01);
    this.#pairsPerMs = this.#pairsPerMs === null ? measured : 0.9 * this.#pairsPerMs + 0.1 * measured;
  }

  /** Whole segments, at least one; as many as there is room for when nothing was measured yet. */
  windowTokens(rows: number, segmentTokens: number): number {
    if (this.#pairsPerMs === null) return Infinity;
    return segmentTokens * Math.max(1, Math.floor((this.#pairsPerMs * this.#targetMs) / rows / segmentTokens));
  }
}
