/** Recently used 4 KiB blocks of runs on disk, by name and number; the least recently used leave first. */
export const blockWords = 1024;

export type LoadedBlocks = ReadonlyMap<number, Uint32Array>;
type Range = { offsetBytes: number; lengthBytes: number };

export class BlockCache {
  readonly #capacityBytes: () => number;
  /** In order of use, the oldest first. */
  readonly #blocks = new Map<string, Uint32Array>();

  /** What it may take can change. */
  constructor(capacityBytes: () => number) {
    this.#capacityBytes = capacityBytes;
  }

  /** The wanted blocks of one run, by number; those that are not cached are read, neighbours together. */
  async load(name: string, wanted: Iterable<number>, runWords: number, read: (ranges: Range[]) => Promise<Uint8Array[]>): Promise<LoadedBlocks> {
    const loaded: Map<number, Uint32Array> = new Map();
    const missing: number[] = [];
    for (const block of new Set(wanted)) {
      const key = `${name} ${block}`;
      const known = this.#blocks.get(key);
      if (!known) {
        missing.push(block);
        continue;
      }
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      loaded.set(block, known);
    }
    if (missing.length === 0) return loaded;
    missing.sort((a, b) => a - b);
    const runs: { first: number; count: number }[] = [];
    for (const block of missing) {
      const last = runs.at(-1);
      if (last && last.first + last.count === block) last.count++;
      else runs.push({ first: block, count: 1 });
    }
    const bytes = await read(
      runs.map(({ first, count }) => ({ offsetBytes: 4 * first * blockWords, lengthBytes: 4 * Math.min(count * blockWords, runWords - first * blockWords) })),
    );
    runs.forEach(({ first, count }, index) => {
      for (let i = 0; i < count; i++) {
        // A copy, aligned for words, so that one block does not keep its whole run alive.
        const block = bytes[index].slice(4 * i * blockWords, 4 * (i + 1) * blockWords);
        const words = new Uint32Array(block.buffer, 0, block.byteLength / 4);
        this.#blocks.set(`${name} ${first + i}`, words);
        loaded.set(first + i, words);
      }
    });
    this.#shrink();
    return loaded;
  }

  forget(name: string): void {
    for (const key of this.#blocks.keys()) if (key.startsWith(`${name} `)) this.#blocks.delete(key);
  }

  #shrink(): void {
    const capacityBlocks = Math.max(64, Math.floor(this.#capacityBytes() / (4 * blockWords)));
    for (const key of this.#blocks.keys()) {
      if (this.#blocks.size <= capacityBlocks) return;
      this.#blocks.delete(key);
    }
  }
}

/** The numbers of the blocks that hold `count` words from `begin` on. */
export function blocksOf(begin: number, count: number): number[] {
  const blocks: number[] = [];
  for (let block = Math.floor(begin / blockWords); block * blockWords < begin + count; block++) blocks.push(block);
  return blocks;
}

/** Words [begin, begin + count) of a run, out of its blocks. */
export function wordsOf(blocks: LoadedBlocks, begin: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  for (let done = 0; done < count; ) {
    const number = Math.floor((begin + done) / blockWords);
    const within = (begin + done) % blockWords;
    const block = blocks.get(number);
    if (!block) throw new Error(`block ${number} was not loaded`);
    const piece = block.subarray(within, Math.min(block.length, within + count - done));
    words.set(piece, done);
    done += piece.length;
  }
  return words;
}
