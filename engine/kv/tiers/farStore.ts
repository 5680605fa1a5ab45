/**
 * Sealed keys and values outside the GPU: in RAM as far as the budget goes, else on disk with a cache of its 4 KiB
 * blocks. What is kept in a memory is read from there; only where nothing is kept does what overflows go to the block
 * store. Vectors are chosen token by token; where this thread reads them from disk it does so by block, and
 * what a block brings along stays in the cache.
 */
import { allSettled } from '../../allSettled.ts';
import type { KeptRuns } from '../../kept/keptRuns.ts';
import type { BlockStore, LongCopies, SharedCopies, Stretches } from '../../ports.ts';
import { BlockCache, blocksOf, wordsOf } from './blockCache.ts';
import { bringRuns, type LongRun } from './bringRuns.ts';
import type { Runs } from './copyRuns.ts';
import { RamBlocks, type RamPart } from './ramBlocks.ts';
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
  /** Asked for since the start; of the disk, whole blocks where this thread reads them. */
  ramReadBytes: number;
  diskReadBytes: number;
}

/** Words of a segment, from `begin` on, and where they go. */
interface Run {
  begin: number;
  count: number;
  place: number;
}

/** Vectors of a segment that are not in RAM, and where they go. */
export interface AbsentVectors {
  layer: number;
  segment: number;
  /** Their first words in the segment, and in the target. */
  begins: number[];
  places: number[];
}

/** Share of the RAM budget for blocks read from disk. */
const cacheShare = 1 / 8;

export class FarStore {
  readonly words: number;
  readonly #shape: FarShape;
  readonly #ramBudgetBytes: number;
  readonly #disk: BlockStore | null;
  readonly #blocks: BlockCache;
  readonly #ram: RamBlocks;
  readonly longCopies: LongCopies | null;
  /** Copies of long runs that others make, and parts that leave RAM when those are done. */
  #bringing = 0;
  #leaving: RamPart[] = [];
  /** Segments in RAM: [layer][segment] of [2][kvHead][token][words]; null when the disk has it. */
  readonly #resident: (RamPart | null)[][];
  /** By layer, where segments lie, as long as that holds: [segment] of (block, first word), block -1 for what is not in RAM. */
  readonly #tables: (Int32Array | null)[];
  readonly #written = new Map<string, Promise<void>>();
  /** What a memory holds of the sequence, and of how many whole segments. */
  #kept: KeptRuns | null = null;
  #keptSegments = 0;
  /** A memory is being written: what overflows RAM waits for it. */
  #keeping = false;
  readonly bytes: TierBytes = { ramBytes: 0, diskBytes: 0, ramReadBytes: 0, diskReadBytes: 0 };

  /** Without a disk the budget is a wish: everything stays in RAM, which threads read where there are `copies` or `longCopies`. */
  constructor(shape: FarShape, { ramBudgetBytes, disk, copies = null, longCopies = null }: { ramBudgetBytes: number; disk: BlockStore | null; copies?: SharedCopies | null; longCopies?: LongCopies | null }) {
    this.#shape = shape;
    this.words = recordWords(shape.format, shape.headDim);
    this.#disk = disk;
    this.#ram = new RamBlocks(copies, this.bytes);
    this.longCopies = longCopies;
    this.#ramBudgetBytes = disk ? ramBudgetBytes * (1 - cacheShare) : Infinity;
    // Room that no whole segment takes is the cache's.
    this.#blocks = new BlockCache(() => (disk ? Math.max(ramBudgetBytes * cacheShare, ramBudgetBytes - this.bytes.ramBytes) : 0));
    this.#resident = Array.from({ length: shape.layers }, () => []);
    this.#tables = this.#resident.map(() => null);
  }

  get segmentWords(): number {
    const { kvHeads, segmentTokens } = this.#shape;
    return 2 * kvHeads * segmentTokens * this.words;
  }

  get layers(): number {
    return this.#shape.layers;
  }

  /** Threads that copy what `plan` lists. */
  get copies(): SharedCopies | null {
    return this.#ram.copies;
  }

  /** What the runs that `plan` lists are copied from, until anything is appended or leaves RAM. */
  get sources(): readonly Int32Array[] {
    return this.#ram.words;
  }

  /** Whether a sealed segment is in RAM; else it is on disk. */
  inRam(layer: number, segment: number): boolean {
    return this.#resident[layer][segment] !== null && segment < this.#resident[layer].length;
  }

  segments(layer: number): number {
    return this.#resident[layer].length;
  }

  /**
   * Takes the next segment of a layer, [2][kvHead][token][words]: keys, then values. Returns at once; a write to disk
   * goes on behind, and the segment is read from RAM until it is done.
   */
  append(layer: number, words: Uint32Array): void {
    this.#enter(layer, this.#ram.adopt(words));
  }

  /**
   * The same for all layers, [layer][2][kvHead][token][words], which is copied: it must be left alone until this has
   * resolved, and nothing else be appended. What threads read leaves RAM as a whole.
   */
  async appendAll(words: Uint32Array): Promise<void> {
    const parts = this.longCopies ? await this.#ram.copyBehind(words, this.layers, this.longCopies) : this.#ram.copy(words, this.layers);
    for (const [layer, part] of parts.entries()) this.#enter(layer, part);
  }

  #enter(layer: number, part: RamPart): void {
    const segment = this.#resident[layer].length;
    this.#resident[layer].push(part);
    this.#tables[layer] = null;
    if (!this.#disk || this.#keeping || this.bytes.ramBytes <= this.#ramBudgetBytes) return;
    const name = nameOf(layer, segment);
    const { buffer, byteOffset, byteLength } = part.words;
    const written = this.#disk.write(name, new Uint8Array(buffer, byteOffset, byteLength)).then(() => this.#leaveRam(layer, segment, part));
    this.#written.set(name, written);
    // Whoever waits for the store hears of a failure; until then the segment stays in RAM.
    written.catch(() => undefined);
  }

  /**
   * From now on whole segments of the first `tokens` tokens are also in `kept`, so that they can leave RAM; with
   * `growing` later ones will be, too, and go nowhere else.
   */
  keep(kept: KeptRuns | null, { tokens, growing }: { tokens: number; growing: boolean }): void {
    this.#kept = kept;
    this.#keptSegments = Math.floor(tokens / this.#shape.segmentTokens);
    this.#keeping = growing;
    if (!this.#disk) return;
    for (let segment = 0; segment < this.#keptSegments; segment++) {
      for (const [layer, list] of this.#resident.entries()) {
        const part = list[segment];
        if (this.bytes.ramBytes <= this.#ramBudgetBytes) return;
        if (part) this.#leaveRam(layer, segment, part);
      }
    }
  }

  /** Begins with `segments` segments that are nowhere but in `kept`; the store must be empty. */
  adopt(kept: KeptRuns, segments: number, { growing }: { growing: boolean }): void {
    for (const list of this.#resident) for (let segment = 0; segment < segments; segment++) list.push(null);
    this.#tables.fill(null);
    this.bytes.diskBytes += 4 * this.segmentWords * segments * this.#resident.length;
    this.keep(kept, { tokens: kept.vectors.tokens, growing });
  }

  #leaveRam(layer: number, segment: number, part: RamPart): void {
    if (this.#resident[layer][segment] !== part) return;
    this.#resident[layer][segment] = null;
    this.#tables[layer] = null;
    this.#leave(part);
    this.bytes.diskBytes += part.words.byteLength;
  }

  /** Waits until what overflowed RAM is on disk; rejects when a write failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#written.values());
  }

  /** Copies the keys (part 0) or values (part 1) of tokens [first, first + tokens) to `target`, [kvHead][stride][words]. */
  async range(layer: number, part: 0 | 1, first: number, tokens: number, target: Uint32Array, stride: number): Promise<void> {
    const { kvHeads, segmentTokens } = this.#shape;
    const reads: Promise<void>[] = [];
    const resident: LongRun[] = [];
    for (let token = first; token < first + tokens; ) {
      const segment = Math.floor(token / segmentTokens);
      const within = token % segmentTokens;
      const count = Math.min(segmentTokens - within, first + tokens - token);
      const inRam = this.#resident[layer][segment];
      const begins = Array.from({ length: kvHeads }, (_, head) => ((part * kvHeads + head) * segmentTokens + within) * this.words);
      const runs = begins.map((begin, head): Run => ({ begin, count: count * this.words, place: (head * stride + token - first) * this.words }));
      if (inRam) {
        for (const run of runs) resident.push({ words: inRam.words.subarray(run.begin, run.begin + run.count), place: run.place });
        this.bytes.ramReadBytes += 4 * kvHeads * count * this.words;
      } else reads.push(this.#readRuns(layer, segment, runs, target));
      token += count;
    }
    await Promise.all([this.#bring(resident, target), ...reads]);
  }

  /**
   * Copies the keys (part 0) or values (part 1) of blocks of tokens, for each KV head its own, to `target`,
   * [kvHead][stride][words], one block behind the other. Blocks do not reach over segments; neighbours are read at once.
   */
  async blocks(layer: number, part: 0 | 1, chosen: readonly Uint32Array[], blockTokens: number, target: Uint32Array, stride: number): Promise<void> {
    const { kvHeads, segmentTokens } = this.#shape;
    const absent = new Map<number, Run[]>();
    const resident: LongRun[] = [];
    for (const [head, list] of chosen.entries()) {
      for (let at = 0, count = 1; at < list.length; at += count, count = 1) {
        const token = list[at] * blockTokens;
        const segment = Math.floor(token / segmentTokens);
        while (at + count < list.length && list[at + count] === list[at] + count && list[at + count] * blockTokens < (segment + 1) * segmentTokens) count++;
        const begin = ((part * kvHeads + head) * segmentTokens + (token % segmentTokens)) * this.words;
        const run = { begin, count: count * blockTokens * this.words, place: (head * stride + at * blockTokens) * this.words };
        const inRam = this.#resident[layer][segment];
        if (inRam) {
          resident.push({ words: inRam.words.subarray(begin, begin + run.count), place: run.place });
          this.bytes.ramReadBytes += 4 * run.count;
          continue;
        }
        const waiting = absent.get(segment) ?? [];
        waiting.push(run);
        absent.set(segment, waiting);
      }
    }
    await Promise.all([this.#bring(resident, target), ...[...absent].map(([segment, runs]) => this.#readRuns(layer, segment, runs, target))]);
  }

  /** Long runs straight from disk: what only streams past would drive out of the cache what is wanted again. */
  async #readRuns(layer: number, segment: number, runs: readonly Run[], target: Uint32Array): Promise<void> {
    const read = this.#reader(layer, segment, nameOf(layer, segment));
    const pieces = await read(runs.map(({ begin, count }) => ({ offsetBytes: 4 * begin, lengthBytes: 4 * count })));
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    for (const [index, { place, count }] of runs.entries()) {
      bytes.set(pieces[index], 4 * place);
      this.bytes.diskReadBytes += 4 * count;
    }
  }

  /**
   * Says how single tokens' key and value, [token][2][words], get to `place` in some target: adds runs of `words` words
   * for what is in RAM, and returns what is to be fetched. To be copied, or begun to be, before anything else happens.
   */
  plan(layer: number, kvHead: number, tokens: ArrayLike<number>, place: number, runs: Runs): AbsentVectors[] {
    const { kvHeads, segmentTokens } = this.#shape;
    const { words } = this;
    const table = (this.#tables[layer] ??= tableOf(this.#resident[layer]));
    const firstKey = kvHead * segmentTokens * words;
    const fromKeyToValue = kvHeads * segmentTokens * words;
    const absent = new Map<number, AbsentVectors>();
    const list = runs.words;
    let at = 3 * runs.count;
    // Steps that miss much wait for this.
    for (let i = 0, to = place; i < tokens.length; i++, to += 2 * words) {
      const segment = (tokens[i] / segmentTokens) | 0;
      const key = firstKey + (tokens[i] - segment * segmentTokens) * words;
      const block = 2 * segment < table.length ? table[2 * segment] : -1;
      if (block >= 0) {
        const from = table[2 * segment + 1] + key;
        list[at] = block;
        list[at + 1] = from;
        list[at + 2] = to;
        list[at + 3] = block;
        list[at + 4] = from + fromKeyToValue;
        list[at + 5] = to + words;
        at += 6;
        continue;
      }
      const waiting = absent.get(segment) ?? { layer, segment, begins: [], places: [] };
      waiting.begins.push(key, key + fromKeyToValue);
      waiting.places.push(to, to + words);
      absent.set(segment, waiting);
    }
    this.bytes.ramReadBytes += 4 * words * (at / 3 - runs.count);
    runs.count = at / 3;
    return [...absent.values()];
  }

  /**
   * Brings what `plan` did not find in RAM to `target`, whose word `offset` is that of place 0: by threads where they may
   * write there and the disk's side has them. When it settles nothing is written there any more.
   */
  async fetch(absent: readonly AbsentVectors[], target: Uint32Array, offset = 0): Promise<void> {
    const { buffer: memory, byteOffset } = target;
    if (!(memory instanceof SharedArrayBuffer)) return this.#fetchBlocks(absent, target, offset);
    const spilled: (Stretches & { name: string })[] = [];
    const kept = new Map<number, (Stretches & { segment: number })[]>();
    const others: AbsentVectors[] = [];
    for (const vectors of absent) {
      const { layer, segment, begins, places } = vectors;
      const name = nameOf(layer, segment);
      const isSpilled = this.#written.has(name);
      if (isSpilled ? !this.#disk?.readShared : !this.#kept?.sharesReads) {
        others.push(vectors);
        continue;
      }
      const stretches = { offsetsBytes: begins.map((begin) => 4 * begin), placesBytes: places.map((place) => byteOffset + 4 * (offset + place)) };
      this.bytes.diskReadBytes += 4 * this.words * begins.length;
      if (isSpilled) {
        spilled.push({ name, ...stretches });
        continue;
      }
      const runs = kept.get(layer) ?? [];
      runs.push({ segment, ...stretches });
      kept.set(layer, runs);
    }
    const shared = { lengthBytes: 4 * this.words, memory };
    const source = this.#kept;
    await allSettled([
      ...(spilled.length > 0 ? [this.#disk?.readShared?.(spilled, shared)] : []),
      ...Array.from(kept, ([layer, runs]) => source?.readShared(layer, runs, shared)),
      this.#fetchBlocks(others, target, offset),
    ]);
  }

  async #fetchBlocks(absent: readonly AbsentVectors[], target: Uint32Array, offset: number): Promise<void> {
    await allSettled(
      absent.map(async ({ layer, segment, begins, places }) => {
        const pieces = await this.#pieces(layer, segment, begins, this.words);
        for (const [index, piece] of pieces.entries()) target.set(piece, offset + places[index]);
      }),
    );
  }

  /** Forgets the segments from `segments` on. */
  truncate(segments: number): void {
    for (const [layer, list] of this.#resident.entries()) {
      for (let segment = segments; segment < list.length; segment++) {
        const part = list[segment];
        const name = nameOf(layer, segment);
        if (part) this.#letGo(part, name);
        else {
          this.bytes.diskBytes -= 4 * this.segmentWords;
          this.#blocks.forget(name);
        }
        // What a memory holds stays there.
        void this.#written.get(name)?.then(() => this.#disk?.remove(name)).catch(() => undefined);
        this.#written.delete(name);
      }
      list.length = Math.min(list.length, segments);
    }
    this.#tables.fill(null);
    this.#keptSegments = Math.min(this.#keptSegments, segments);
  }

  /** Gives its RAM back. */
  free(): void {
    this.#tables.fill(null);
    for (const [layer, list] of this.#resident.entries()) {
      for (const [segment, part] of list.splice(0).entries()) if (part) this.#letGo(part, nameOf(layer, segment));
    }
  }

  /** What is being written is read until that is done. */
  #letGo(part: RamPart, name: string): void {
    const written = this.#written.get(name);
    if (written) void written.catch(() => undefined).then(() => this.#leave(part));
    else this.#leave(part);
  }

  /** What is being copied is there until that is done. */
  #leave(part: RamPart): void {
    if (this.#bringing > 0) this.#leaving.push(part);
    else this.#ram.leave(part);
  }

  async #bring(runs: readonly LongRun[], target: Uint32Array): Promise<void> {
    this.#bringing++;
    try {
      await bringRuns(runs, target, this.longCopies);
    } finally {
      if (--this.#bringing === 0) for (const part of this.#leaving.splice(0)) this.#ram.leave(part);
    }
  }

  /** Runs of `count` words of a segment that is not in RAM. */
  async #pieces(layer: number, segment: number, begins: readonly number[], count: number): Promise<Uint32Array[]> {
    const ranges = begins.map((begin) => ({ offsetBytes: 4 * begin, lengthBytes: 4 * count }));
    // Of a segment that has not ended yet, whole blocks do not exist.
    if (this.#kept && segment >= this.#resident[layer].length) return (await this.#kept.read(layer, segment, ranges)).map(toWords);
    const name = nameOf(layer, segment);
    const read = this.#reader(layer, segment, name);
    const wanted = begins.flatMap((begin) => blocksOf(begin, count));
    const blocks = await this.#blocks.load(name, wanted, this.segmentWords, async (ranges) => {
      for (const { lengthBytes } of ranges) this.bytes.diskReadBytes += lengthBytes;
      return read(ranges);
    });
    return begins.map((begin) => wordsOf(blocks, begin, count));
  }

  #reader(layer: number, segment: number, name: string): (ranges: { offsetBytes: number; lengthBytes: number }[]) => Promise<Uint8Array[]> {
    const kept = this.#kept;
    const disk = this.#disk;
    if (this.#written.has(name) && disk) return (ranges) => disk.read(name, ranges);
    if (kept) return (ranges) => kept.read(layer, segment, ranges);
    throw new Error(`segment ${segment} of layer ${layer} is nowhere`);
  }
}

function toWords(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function tableOf(segments: readonly (RamPart | null)[]): Int32Array {
  const table = new Int32Array(2 * segments.length);
  for (const [segment, part] of segments.entries()) {
    table[2 * segment] = part?.block ?? -1;
    table[2 * segment + 1] = part?.first ?? 0;
  }
  return table;
}

function nameOf(layer: number, segment: number): string {
  return `layer ${layer} segment ${segment}`;
}
