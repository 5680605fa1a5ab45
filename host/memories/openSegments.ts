/** The segments whose files are open: a few hundred at most, closed when they were not wanted for longest. */
import type { SegmentReader } from './segmentReader.ts';

interface OpenSegment {
  reader: Promise<SegmentReader>;
  users: number;
  /** Closes when the last user has gone. */
  leaving: boolean;
}

export class OpenSegments {
  readonly #most: number;
  /** Least recently used first. */
  readonly #open = new Map<string, OpenSegment>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` on a segment, opened by `open` when it is not open; its file stays open meanwhile. */
  async use<T>(key: string, open: () => Promise<SegmentReader>, work: (reader: SegmentReader) => Promise<T>): Promise<T> {
    const segment = this.#open.get(key) ?? { reader: open(), users: 0, leaving: false };
    this.#open.delete(key);
    this.#open.set(key, segment);
    segment.users += 1;
    try {
      return await work(await segment.reader);
    } catch (error) {
      // One that could not be opened is tried again, not remembered.
      await segment.reader.catch(() => this.#forget(key, segment));
      throw error;
    } finally {
      segment.users -= 1;
      if (segment.leaving && segment.users === 0) await closeQuietly(segment);
      await this.#shrink();
    }
  }

  /** Closes a segment once nobody reads it; the next use opens it anew. */
  async close(key: string): Promise<void> {
    const segment = this.#open.get(key);
    if (!segment) return;
    this.#forget(key, segment);
    segment.leaving = true;
    if (segment.users === 0) await closeQuietly(segment);
  }

  async closeAll(): Promise<void> {
    for (const key of this.#open.keys()) await this.close(key);
  }

  #forget(key: string, segment: OpenSegment): void {
    if (this.#open.get(key) === segment) this.#open.delete(key);
  }

  async #shrink(): Promise<void> {
    for (const [key, segment] of this.#open) {
      if (this.#open.size <= this.#most) return;
      if (segment.users === 0) await this.close(key);
    }
  }
}

function closeQuietly(segment: OpenSegment): Promise<void> {
  return segment.reader.then((reader) => reader.close()).catch(() => undefined);
}
