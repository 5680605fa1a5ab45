/**
 * Reads a segment's `data` and hands out nothing that was not checked: every block that is touched is
 * compared with its checksum, and the checksums with the manifest's.
 */
import { crc32 } from 'node:zlib';
import type { SharedTarget, Stretches } from '../../engine/ports.ts';
import { blockBytes, blockChecksum } from './blocks.ts';
import { MemoryDamagedError } from './failures.ts';
import type { FileSystem, ReadableFile } from './fileSystem.ts';
import { type DataLayout, decodeTokens, keyOf, layOut, type Manifest, tokensPart } from './segmentFormat.ts';

/** A stretch of one part. */
export interface PartRange {
  part: string;
  offsetBytes: number;
  lengthBytes: number;
}

/** Reading on over a gap this long costs less than another call. */
const mergeGapBlocks = 8;
const longestReadBlocks = 256;
/** From this many on, another thread reads and checks them. */
const threadedBlocks = 64;
/** Reads under way at once: disks answer many together sooner than one after another. */
const readsInFlight = 16;

/** Blocks to be read in one call, and which of the requests are served from them. */
interface Run {
  firstBlock: number;
  endBlock: number;
  requests: number[];
}

export class SegmentReader {
  readonly manifest: Manifest;
  readonly layout: DataLayout;
  readonly #file: ReadableFile;
  readonly #path: string;
  readonly #table: Uint8Array;

  private constructor(manifest: Manifest, layout: DataLayout, file: ReadableFile, path: string, table: Uint8Array) {
    this.manifest = manifest;
    this.layout = layout;
    this.#file = file;
    this.#path = path;
    this.#table = table;
  }

  /** `folder` holds the segment; `path` is the folder's name in failures. Checks the length and the checksum table. */
  static async open(files: FileSystem, folder: string, path: string, manifest: Manifest): Promise<SegmentReader> {
    const where = { key: manifest.key, file: `${path}/data` };
    const layout = layOut(manifest.parts);
    const file = await files.openFile(`${folder}/data`).catch((error: unknown) => {
      throw new MemoryDamagedError(where, `it cannot be opened (${error instanceof Error ? error.message : String(error)})`);
    });
    try {
      const { sizeBytes } = await files.stat(`${folder}/data`);
      if (sizeBytes !== layout.fileBytes) throw new MemoryDamagedError(where, `it is ${sizeBytes} bytes long, not ${layout.fileBytes}`);
      const table = new Uint8Array(layout.blocks * 4);
      await file.read(table, layout.blocks * blockBytes);
      if (crc32(table) !== manifest.tableChecksum) throw new MemoryDamagedError(where, 'its table of checksums does not match');
      return new SegmentReader(manifest, layout, file, where.file, table);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * The bytes of each range, in the order of `ranges`. Neighbours are read in one call, so results may
   * share a buffer: copy what is kept for long.
   * @throws RangeError for a part or a range that is not there; MemoryDamagedError for a bad block.
   */
  async read(ranges: readonly PartRange[]): Promise<Uint8Array[]> {
    const starts = ranges.map((range) => this.#startOf(range));
    const results: Uint8Array[] = ranges.map(() => new Uint8Array(0));
    await eachAtOnce(planRuns(starts, ranges), async (run) => {
      const bytes = await this.#readRun(run, starts, ranges);
      for (const request of run.requests) results[request] = bytes.subarray(starts[request] - run.firstBlock * blockBytes).subarray(0, ranges[request].lengthBytes);
    });
    return results;
  }

  /** The same into `targets`, which are as long as the ranges; when it settles nothing is written to them any more. */
  async readInto(ranges: readonly PartRange[], targets: readonly Uint8Array[]): Promise<void> {
    const starts = ranges.map((range) => this.#startOf(range));
    await eachAtOnce(planRuns(starts, ranges), async (run) => {
      if (await this.#readStraight(run, starts, targets)) return;
      const bytes = await this.#readRun(run, starts, ranges);
      for (const request of run.requests) {
        const offset = starts[request] - run.firstBlock * blockBytes;
        targets[request].set(bytes.subarray(offset, offset + ranges[request].lengthBytes));
      }
    });
  }

  /** Short stretches of some parts to shared memory; when it settles nothing is written there any more. */
  async readShared(parts: readonly (Stretches & { part: string })[], target: SharedTarget): Promise<void> {
    const ranges = parts.flatMap(({ part, offsetsBytes }) => offsetsBytes.map((offsetBytes) => ({ part, offsetBytes, lengthBytes: target.lengthBytes })));
    const offsetsBytes = ranges.map((range) => this.#startOf(range));
    const placesBytes = parts.flatMap((part) => part.placesBytes);
    if (await this.#file.readShared?.({ offsetsBytes, placesBytes }, target, { checksums: this.#table, key: this.manifest.key })) return;
    const bytes = new Uint8Array(target.memory);
    for (const [index, piece] of (await this.read(ranges)).entries()) bytes.set(piece, placesBytes[index]);
  }

  async readPart(name: string): Promise<Uint8Array> {
    const place = this.layout.parts.get(name);
    const lengthBytes = place?.lengthBytes ?? 0;
    const [bytes] = await this.read([{ part: name, offsetBytes: 0, lengthBytes }]);
    return bytes;
  }

  /** The tokens, checked against the key. */
  async tokens(): Promise<Uint32Array> {
    const { key, parent, fingerprint, tokenCount } = this.manifest;
    const tokens = decodeTokens(await this.readPart(tokensPart));
    if (tokens.length !== tokenCount || keyOf(parent, fingerprint, tokens) !== key) {
      throw new MemoryDamagedError({ key, file: this.#path }, 'its tokens are not those of its key');
    }
    return tokens;
  }

  /** Reads every block, up to 1 MiB at a time; `pause` is awaited between. */
  async verify(pause: () => Promise<void> | void = () => undefined): Promise<void> {
    for (let block = 0; block < this.layout.blocks; block += longestReadBlocks) {
      const end = Math.min(block + longestReadBlocks, this.layout.blocks);
      if (!(await this.#areRight(block, end))) this.#check(await this.#readBlocks(block, end), block, 0, end - block, new Set());
      await pause();
    }
    await this.tokens();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #startOf({ part, offsetBytes, lengthBytes }: PartRange): number {
    const place = this.layout.parts.get(part);
    if (!place) throw new RangeError(`segment ${this.manifest.key} has no part “${part}”`);
    if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > place.lengthBytes) {
      throw new RangeError(`bytes ${offsetBytes} to ${offsetBytes + lengthBytes} pass the ${place.lengthBytes} of part “${part}”`);
    }
    return place.offsetBytes + offsetBytes;
  }

  /** Whether other threads found all of a long run right: what is wrong with a block is said where it is asked for. */
  async #areRight(firstBlock: number, endBlock: number): Promise<boolean> {
    if (!this.#file.checkBlocks || endBlock - firstBlock < threadedBlocks) return false;
    return this.#file.checkBlocks({ firstBlock, checksums: this.#table.slice(4 * firstBlock, 4 * endBlock), key: this.manifest.key });
  }

  /** Blocks of a run, of which those that are asked for are right. */
  async #readRun({ firstBlock, endBlock, requests }: Run, starts: readonly number[], ranges: readonly PartRange[]): Promise<Uint8Array> {
    const [bytes, right] = await Promise.all([this.#readBlocks(firstBlock, endBlock), this.#areRight(firstBlock, endBlock)]);
    if (right) return bytes;
    const checked = new Set<number>();
    for (const request of requests) {
      const offset = starts[request] - firstBlock * blockBytes;
      this.#check(bytes, firstBlock, Math.floor(offset / blockBytes), Math.ceil((offset + ranges[request].lengthBytes) / blockBytes), checked);
    }
    return bytes;
  }

  /** A long run, to where it goes; false when it is short or something is wrong with it. */
  async #readStraight({ firstBlock, endBlock, requests }: Run, starts: readonly number[], targets: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#file.checkBlocks || endBlock - firstBlock < threadedBlocks) return false;
    const whole = requests.map(async (request) => {
      const count = await this.#file.read(targets[request], starts[request]).catch(() => 0);
      return count === targets[request].length;
    });
    const right = await Promise.all([...whole, this.#areRight(firstBlock, endBlock)]);
    return right.every(Boolean);
  }

  async #readBlocks(firstBlock: number, endBlock: number): Promise<Uint8Array> {
    const bytes = new Uint8Array((endBlock - firstBlock) * blockBytes);
    let count: number;
    try {
      count = await this.#file.read(bytes, firstBlock * blockBytes);
    } catch (error) {
      throw this.#damaged(firstBlock, `it cannot be read (${error instanceof Error ? error.message : String(error)})`);
    }
    if (count < bytes.length) throw this.#damaged(firstBlock + Math.floor(count / blockBytes), 'the file ends before it');
    return bytes;
  }

  /** Compares the blocks `from`…`end` of a run that starts at `firstBlock` of the file. */
  #check(bytes: Uint8Array, firstBlock: number, from: number, end: number, checked: Set<number>): void {
    const table = new DataView(this.#table.buffer);
    for (let index = from; index < end; index += 1) {
      if (checked.has(index)) continue;
      const block = firstBlock + index;
      const content = bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
      if (blockChecksum(this.manifest.key, block, content) !== table.getUint32(block * 4, true)) {
        throw this.#damaged(block, 'its checksum does not match');
      }
      checked.add(index);
    }
  }

  #damaged(block: number, what: string): MemoryDamagedError {
    return new MemoryDamagedError({ key: this.manifest.key, file: this.#path, block }, what);
  }
}

/** Rejects with the first failure once all that was begun has ended; nothing is begun after one. */
async function eachAtOnce(runs: readonly Run[], work: (run: Run) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  let next = 0;
  const workOn = async (): Promise<void> => {
    while (next < runs.length && failures.length === 0) await work(runs[next++]).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(readsInFlight, runs.length) }, workOn));
  if (failures.length > 0) throw failures[0];
}

/** Sorts the requests by their place in the file and merges those that touch or nearly do. */
function planRuns(starts: readonly number[], ranges: readonly PartRange[]): Run[] {
  const order = starts.map((_, index) => index).filter((index) => ranges[index].lengthBytes > 0);
  order.sort((left, right) => starts[left] - starts[right]);
  const runs: Run[] = [];
  for (const index of order) {
    const firstBlock = Math.floor(starts[index] / blockBytes);
    const endBlock = Math.ceil((starts[index] + ranges[index].lengthBytes) / blockBytes);
    const last = runs.at(-1);
    if (last && firstBlock < last.endBlock) {
      last.endBlock = Math.max(last.endBlock, endBlock);
      last.requests.push(index);
    } else if (last && firstBlock - last.endBlock <= mergeGapBlocks && endBlock - last.firstBlock <= longestReadBlocks) {
      last.endBlock = endBlock;
      last.requests.push(index);
    } else {
      runs.push({ firstBlock, endBlock, requests: [index] });
    }
  }
  return runs;
}
