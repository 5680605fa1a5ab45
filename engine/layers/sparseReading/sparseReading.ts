/**
 * Reading documents sparsely: a block of rows far behind the beginning attends exactly to the first block of keys, to
 * what lies just before it, and, for each key-value head, to those blocks of 64 keys that a cheap estimate holds for the
 * most important. What is not among them gets no attention at all, and is counted.
 * Sources: block-sparse prefill as in MInference (arXiv 2407.02490) and SALE, with sampled queries; NSA (2502.11089) chooses
 * blocks for the heads of a group together.
 */
export interface SparseReading {
  /** Of the blocks that there is a choice among, above 0 and at most 1. */
  share: number;
  /** Rows before this position see everything. */
  fromTokens: number;
}

/** Keys that are chosen together. */
export const blockTokens = 64;
/** Keys of a mean: a block is ranked by four, so that one strong key among weak ones is not lost among 64. */
export const meanTokens = 16;
export const meansPerBlock = blockTokens / meanTokens;
/** Tokens before a row's block of rows that it certainly sees. */
export const recentTokens = 256;

/** Rows of a chunk that is read sparsely: beyond the GPU they all choose together. */
export const mostSparseRows = 1024;

/** Which of the `blocks` whole blocks before some rows are read. */
export interface BlockShares {
  blocks: number;
  /** From here on all blocks are read, and the first is. */
  nearBlock: number;
  /** So many of the others. */
  wanted: number;
  /** All that are read. */
  read: number;
}

/** For rows that begin at `position` and attend to the first `blocks` blocks by choice, to later keys in any case. */
export function blockShares({ share }: SparseReading, position: number, blocks: number): BlockShares {
  const nearBlock = Math.min(blocks, Math.max(1, Math.floor(Math.max(0, position - recentTokens) / blockTokens)));
  const others = Math.max(0, nearBlock - 1);
  const wanted = Math.min(others, Math.ceil(share * others));
  return { blocks, nearBlock, wanted, read: Math.min(1, blocks) + wanted + Math.max(0, blocks - Math.max(1, nearBlock)) };
}

/** The most blocks that are read by choice in a context of so many tokens. */
export function mostBlocks(reading: SparseReading, contextTokens: number): number {
  // All that are near, besides those that are not.
  return Math.ceil(reading.share * Math.ceil(contextTokens / blockTokens)) + recentTokens / blockTokens + 2;
}

/** Pairs of a row and a key before it, of one head: what was read sparsely since it was last asked. */
export class ReadingTally {
  #rows = 0;
  #pairs = 0;
  #skippedPairs = 0;

  /** Of one layer: rows that have `blocks` whole blocks before them. */
  note(rows: number, { blocks, read }: BlockShares): void {
    this.#rows += rows;
    this.#pairs += rows * blocks * blockTokens;
    this.#skippedPairs += rows * (blocks - read) * blockTokens;
  }

  /** Rows that were read sparsely, and the share of keys before their own blocks that they did not attend to. */
  take(): { rows: number; skippedShare: number } {
    const taken = { rows: this.#rows, skippedShare: this.#pairs > 0 ? this.#skippedPairs / this.#pairs : 0 };
    this.#rows = 0;
    this.#pairs = 0;
    this.#skippedPairs = 0;
    return taken;
  }
}

/** E.g. `sparse reading 25% from 65536`: keys and values depend on it, too. */
export function nameOfReading({ share, fromTokens }: SparseReading): string {
  return `sparse reading ${Number((100 * share).toFixed(4))}% from ${fromTokens}`;
}

/** The reading whose name is in a text; null when there is none. */
export function readingNamedIn(text: string): SparseReading | null {
  const [, percent, fromTokens] = /sparse reading ([\d.]+)% from (\d+)/.exec(text) ?? [];
  return percent === undefined ? null : { share: Number(percent) / 100, fromTokens: Number(fromTokens) };
}

/** null where a context ends before anything is read sparsely. */
export function readingWithin(reading: SparseReading | null | undefined, contextTokens: number): SparseReading | null {
  return reading && contextTokens > reading.fromTokens ? reading : null;
}
