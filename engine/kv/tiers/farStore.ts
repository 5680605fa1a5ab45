/**
 * Sealed keys and values outside the GPU: in RAM as far as the budget goes, else in the block store with a cache of its
 * 4 KiB blocks. Vectors are chosen token by token; only the disk is read by block, and what a block brings along
 * stays in the cache.
 */
import type { BlockStore } from '../../ports.ts';
import { BlockCache, blocksOf, wordsOf } from './blockCache.ts';
import { type FarFormat, recordWords } from './record.ts';

export interface FarShape {
  layers: number;
  kvHeads: number;
  headDim: number;
  segmentTokens: number;
  format: FarFormat;
}

export interface TierBytes {
  ramBytes: number;
  diskBytes: number;
  /** Read since the start. */
  ramReadBytes: number;
  diskReadBytes: number;
}

/** Share of the RAM budget for blocks read from disk. */
const cacheShare = 1 / 8;

export class FarStore {
  readonly words: number;
  readonly #shape: FarShape;
  readonly #ramBudgetBytes: number;
  readonly #disk: BlockStore | null;
  readonly #blocks: BlockCache;
  /** Segments in RAM: [layer][segment] of [2][kvHead][token][words]; null when the disk has it. */
  readonly #resident: (Uint32Array | null)[][];
  readonly #written = new Map<string, Promise<void>>();
  readonly bytes: TierBytes = { ramBytes: 0, diskBytes: 0, ramReadBytes: 0, diskReadBytes: 0 };

  /** Without a disk the budget is a wish: everything stays in RAM. */
  constructor(shape: FarShape, { ramBudgetBytes, disk }: { ramBudgetBytes: number; disk: BlockStore | null }) {
    this.#shape = shape;
    this.words = recordWords(shape.format, shape.headDim);
    this.#disk = disk;
    this.#ramBudgetBytes = disk ? ramBudgetBytes * (1 - cacheShare) : Infinity;
    this.#blocks = new BlockCache(disk ? ramBudgetBytes * cacheShare : 0);
    this.#resident = Array.from({ length: shape.layers }, () => []);
  }

  get segmentWords(): number {
    const { kvHeads, segmentTokens } = this.#shape;
    return 2 * kvHeads * segmentTokens * this.words;
  }

  segments(layer: number): number {
    return this.#resident[layer].length;
  }

  /**
   * Takes the next segment of a layer, [2][kvHead][token][words]: keys, then values. Returns at once; a write to disk
   * goes on behind, and the segment is read from RAM until it is done.
   */
  append(layer: number, words: Uint32Array): void {
    const segment = this.#resident[layer].length;
    this.#resident[layer].push(words);
    this.bytes.ramBytes += words.byteLength;
    if (!this.#disk || this.bytes.ramBytes <= this.#ramBudgetBytes) return;
    const name = nameOf(layer, segment);
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    const written = this.#disk.write(name, bytes).then(() => this.#leaveRam(layer, segment, words));
    this.#written.set(name, written);
    // Whoever waits for the store hears of a failure; until then the segment stays in RAM.
    written.catch(() => undefined);
  }

  #leaveRam(layer: number, segment: number, words: Uint32Array): void {
    if (this.#resident[layer][segment] !== words) return;
    this.#resident[layer][segment] = null;
    this.bytes.ramBytes -= words.byteLength;
    this.bytes.diskBytes += words.byteLength;
  }

  /** Waits until what overflowed RAM is on disk; rejects when a write failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#written.values());
  }

  /** Copies the keys (part 0) or values (part 1) of tokens [first, first + tokens) to `target`, [kvHead][stride][words]. */
  async range(layer: number, part: 0 | 1, first: number, tokens: number, target: Uint32Array, stride: number): Promise<void> {
    const { kvHeads, segmentTokens } = this.#shape;
    for (let token = first; token < first + tokens; ) {
      const segment = Math.floor(token / segmentTokens);
      const within = token % segmentTokens;
      const count = Math.min(segmentTokens - within, first + tokens - token);
      const begins = Array.from({ length: kvHeads }, (_, head) => ((part * kvHeads + head) * segmentTokens + within) * this.words);
      const pieces = await this.#pieces(layer, segment, begins, count * this.words);
      pieces.forEach((piece, head) => target.set(piece, (head * stride + token - first) * this.words));
      token += count;
    }
  }

  /** Copies single tokens' key and value to `target` from `offset` words on, [token][2][words]. */
  async gather(layer: number, kvHead: number, tokens: ArrayLike<number>, target: Uint32Array, offset: number): Promise<void> {
    const { kvHeads, segmentTokens } = this.#shape;
    const { words } = this;
    const absent = new Map<number, number[]>();
    for (let i = 0; i < tokens.length; i++) {
      const segment = Math.floor(tokens[i] / segmentTokens);
      const resident = this.#resident[layer][segment];
      if (!resident) {
        const waiting = absent.get(segment) ?? [];
        waiting.push(i);
        absent.set(segment, waiting);
        continue;
      }
      const key = (kvHead * segmentTokens + (tokens[i] % segmentTokens)) * words;
      const value = key + kvHeads * segmentTokens * words;
      target.set(resident.subarray(key, key + words), offset + 2 * i * words);
      target.set(resident.subarray(value, value + words), offset + (2 * i + 1) * words);
      this.bytes.ramReadBytes += 8 * words;
    }
    await Promise.all(
      [...absent].map(async ([segment, waiting]) => {
        const begins = waiting.flatMap((i) => {
          const key = (kvHead * segmentTokens + (tokens[i] % segmentTokens)) * words;
          return [key, key + kvHeads * segmentTokens * words];
        });
        const pieces = await this.#pieces(layer, segment, begins, words);
        waiting.forEach((i, n) => {
          target.set(pieces[2 * n], offset + 2 * i * words);
          target.set(pieces[2 * n + 1], offset + (2 * i + 1) * words);
        });
      }),
    );
  }

  /** Forgets the segments from `segments` on. */
  truncate(segments: number): void {
    for (const [layer, list] of this.#resident.entries()) {
      for (let segment = segments; segment < list.length; segment++) {
        const words = list[segment];
        const name = nameOf(layer, segment);
        if (words) this.bytes.ramBytes -= words.byteLength;
        else {
          this.bytes.diskBytes -= 4 * this.segmentWords;
          this.#blocks.forget(name);
        }
        void this.#written.get(name)?.then(() => this.#disk?.remove(name)).catch(() => undefined);
        this.#written.delete(name);
      }
      list.length = Math.min(list.length, segments);
    }
  }

  /** Runs of `count` words of a segment, wherever it lies. */
  async #pieces(layer: number, segment: number, begins: readonly number[], count: number): Promise<Uint32Array[]> {
    const resident = this.#resident[layer][segment];
    if (resident) {
      this.bytes.ramReadBytes += 4 * count * begins.length;
      return begins.map((begin) => resident.subarray(begin, begin + count));
    }
    const disk = this.#disk;
    if (!disk) throw new Error(`segment ${segment} of layer ${layer} is nowhere`);
    const name = nameOf(layer, segment);
    const wanted = begins.flatMap((begin) => blocksOf(begin, count));
    const blocks = await this.#blocks.load(name, wanted, this.segmentWords, async (ranges) => {
      for (const { lengthBytes } of ranges) this.bytes.diskReadBytes += lengthBytes;
      return disk.read(name, ranges);
    });
    return begins.map((begin) => wordsOf(blocks, begin, count));
  }
}

function nameOf(layer: number, segment: number): string {
  return `layer ${layer} segment ${segment}`;
}
