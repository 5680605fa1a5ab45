/** Reading and verifying stored segments, and what is known to be damaged. */
import { HostError } from '../errors.ts';
import { MemoryDamagedError, memoryNotFound } from './failures.ts';
import { OpenSegments } from './openSegments.ts';
import type { Manifest } from './segmentFormat.ts';
import type { SegmentFolder } from './segmentFolder.ts';
import type { PartRange, SegmentReader } from './segmentReader.ts';
import type { Segment, SegmentTree } from './segmentTree.ts';

export interface SegmentRange extends PartRange {
  key: string;
}

type ReadableSegment = Segment & { manifest: Manifest };

/** Enough to keep a disk busy, few enough not to run out of open files. */
const segmentsAtOnce = 16;

export class SegmentAccess {
  /** By key. */
  readonly damage: Map<string, MemoryDamagedError>;
  readonly #tree: SegmentTree;
  readonly #segments: SegmentFolder;
  readonly #open: OpenSegments;
  /** Folders that are being renamed: until it is over, nobody knows their names. */
  readonly #moving = new Map<string, Promise<void>>();

  constructor(tree: SegmentTree, segments: SegmentFolder, damage: Map<string, MemoryDamagedError>, openFiles: number) {
    this.#tree = tree;
    this.#segments = segments;
    this.damage = damage;
    this.#open = new OpenSegments(openFiles);
  }

  /** @throws `memory-not-found`; `memory-damaged` when its manifest cannot be read. */
  manifest(key: string): Manifest {
    return this.#readable(key).manifest;
  }

  /** A segment that counts and is not known to be damaged. */
  intact(key: string): Manifest | undefined {
    const segment = this.#tree.get(key);
    return segment?.manifest && !segment.quarantined && !this.damage.has(key) ? segment.manifest : undefined;
  }

  async readMany(ranges: readonly SegmentRange[]): Promise<Uint8Array[]> {
    const bySegment = new Map<string, number[]>();
    for (const [index, { key }] of ranges.entries()) {
      const indices = bySegment.get(key);
      if (indices) indices.push(index);
      else bySegment.set(key, [index]);
    }
    const results: Uint8Array[] = Array.from({ length: ranges.length });
    await forEachSegment(bySegment, async ([key, indices]) => {
      const bytes = await this.use(key, (reader) => reader.read(indices.map((index) => ranges[index])));
      for (const [place, index] of indices.entries()) results[index] = bytes[place];
    });
    return results;
  }

  async use<T>(key: string, work: (reader: SegmentReader) => Promise<T>): Promise<T> {
    return this.#noticing(key, (segment) => this.#open.use(segment, () => this.#segments.open(segment, segment.manifest), work));
  }

  async verify(key: string, pause?: () => Promise<void> | void): Promise<void> {
    await this.#verifyManifest(key);
    // The table of checksums is read again, too.
    await this.#open.close(this.#readable(key));
    await this.use(key, (reader) => reader.verify(pause));
  }

  async verifyOpen(leaf: string): Promise<void> {
    const path = this.#tree.path(leaf);
    if (!path) throw this.#breakOf(leaf);
    await forEachSegment(path.slice(0, -1), async ({ key }) => {
      await this.#verifyManifest(key);
      await this.use(key, (reader) => reader.tokens());
    });
    await this.verify(leaf);
  }

  /** Leaves out the segments in `verified`, and adds those it has read to their end. */
  async scrub(signal: AbortSignal | undefined, pause: () => Promise<void>, verified = new Set<string>()): Promise<MemoryDamagedError[]> {
    const found: MemoryDamagedError[] = [];
    const pauseOrStop = async () => {
      await pause();
      signal?.throwIfAborted();
    };
    const keys = [...this.#tree.all()].map(({ key }) => key).filter((key) => !verified.has(key));
    for (const key of keys) {
      if (signal?.aborted) break;
      try {
        await this.verify(key, pauseOrStop);
        verified.add(key);
      } catch (error) {
        if (error instanceof MemoryDamagedError) found.push(error);
        // One that was deleted meanwhile is no failure, nor is being stopped.
        else if (!signal?.aborted && !(error instanceof HostError)) throw error;
      }
    }
    return found;
  }

  /** Runs `work`, which gives a segment's folder another name and notes it in the tree; readers wait for that. */
  async move(segment: Segment, work: () => Promise<void>): Promise<void> {
    const moving = work().finally(() => this.#moving.delete(segment.key));
    this.#moving.set(segment.key, moving);
    await moving;
    await this.close(segment);
  }

  /** To be called when a segment was replaced or deleted. */
  close(segment: Segment): Promise<void> {
    return this.#open.close(segment);
  }

  closeAll(): Promise<void> {
    return this.#open.closeAll();
  }

  #verifyManifest(key: string): Promise<unknown> {
    return this.#noticing(key, ({ folder }) => this.#segments.readManifest(folder, key));
  }

  async #noticing<T>(key: string, work: (segment: ReadableSegment) => Promise<T>): Promise<T> {
    const segment = this.#readable(key);
    try {
      return await work(segment);
    } catch (error) {
      // It may have been replaced, put aside or deleted while its file was being opened.
      await this.#moving.get(key)?.catch(() => undefined);
      if (this.#tree.get(key) !== segment) return this.#noticing(key, work);
      if (error instanceof MemoryDamagedError) this.damage.set(key, error);
      throw error;
    }
  }

  /** The segment as the tree has it: another object is another generation. */
  #readable(key: string): ReadableSegment {
    const segment = this.#tree.get(key);
    if (!segment) throw memoryNotFound(key);
    if (segment.manifest) return segment as ReadableSegment;
    throw this.damage.get(key) ?? memoryNotFound(key);
  }

  /** Why there is no path to `leaf`. */
  #breakOf(leaf: string): Error {
    let key = leaf;
    for (let parent = this.#parentOf(key); parent !== null; parent = this.#parentOf(key)) key = parent;
    return this.damage.get(key) ?? memoryNotFound(key);
  }

  #parentOf(key: string): string | null {
    return this.#tree.get(key)?.manifest?.parent ?? null;
  }
}

async function forEachSegment<T>(segments: Iterable<T>, work: (segment: T) => Promise<void>): Promise<void> {
  const waiting = segments[Symbol.iterator]();
  const workOn = async (): Promise<void> => {
    // The iterator is shared: each takes the next segment that is left.
    for (let next = waiting.next(); !next.done; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: segmentsAtOnce }, workOn));
}
