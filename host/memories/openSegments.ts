/** The segments whose files are open: a thousand at most, closed when they were not wanted for longest. */
import type { SegmentReader } from './segmentReader.ts';
import type { Segment } from './segmentTree.ts';

interface OpenSegment {
  reader: Promise<SegmentReader>;
  users: number;
  /** Closes when the last user has gone. */
  leaving: boolean;
}

export class OpenSegments {
  readonly #most: number;
  /** Least recently used first. By object: another generation of a segment is another one. */
  readonly #open = new Map<Segment, OpenSegment>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` on a segment, opened by `open` when it is not open; its file stays open meanwhile. */
  async use<T>(stored: Segment, open: () => Promise<SegmentReader>, work: (reader: SegmentReader) => Promise<T>): Promise<T> {
    const segment = this.#open.get(stored) ?? { reader: open(), users: 0, leaving: false };
    this.#open.delete(stored);
    this.#open.set(stored, segment);
    segment.users += 1;
    try {
      return await work(await segment.reader);
    } catch (error) {
      // One that could not be opened is tried again, not remembered.
      await segment.reader.catch(() => this.#forget(stored, segment));
      throw error;
    } finally {
      segment.users -= 1;
      if (segment.leaving && segment.users === 0) await closeQuietly(segment);
      await this.#shrink();
    }
  }

  /** Closes a segment once nobody reads it; the next use opens it anew. */
  async close(stored: Segment): Promise<void> {
    const segment = this.#open.get(stored);
    if (!segment) return;
    this.#forget(stored, segment);
    segment.leaving = true;
    if (segment.users === 0) await closeQuietly(segment);
  }

  async closeAll(): Promise<void> {
    for (const stored of this.#open.keys()) await this.close(stored);
  }

  #forget(stored: Segment, segment: OpenSegment): void {
    if (this.#open.get(stored) === segment) this.#open.delete(stored);
  }

  async #shrink(): Promise<void> {
    for (const [stored, segment] of this.#open) {
      if (this.#open.size <= this.#most) return;
      if (segment.users === 0) await this.close(stored);
    }
  }
}

function closeQuietly(segment: OpenSegment): Promise<void> {
  return segment.reader.then((reader) => reader.close()).catch(() => undefined);
}
