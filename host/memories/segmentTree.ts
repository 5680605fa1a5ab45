/** The tree of segments as it is known in memory: who follows whom, and what a set of leaves needs. */
import { keyOf, type Manifest } from './segmentFormat.ts';

export interface Segment {
  readonly key: string;
  /** Its folder's name. */
  readonly folder: string;
  readonly generation: number;
  /** null when it cannot be read, so that neither parent nor tokens are known. */
  readonly manifest: Manifest | null;
  /** Of its files. */
  readonly bytes: number;
  /** True for one that was put aside: it is not found any more, and kept until it is sealed anew. */
  readonly quarantined: boolean;
}

export class SegmentTree {
  readonly #segments = new Map<string, Segment>();
  readonly #children = new Map<string | null, Set<string>>();
  #totalBytes = 0;

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get size(): number {
    return this.#segments.size;
  }

  get(key: string): Segment | undefined {
    return this.#segments.get(key);
  }

  all(): IterableIterator<Segment> {
    return this.#segments.values();
  }

  /** Adds a segment, or puts it in the place of another generation. */
  set(segment: Segment): void {
    this.delete(segment.key);
    this.#segments.set(segment.key, segment);
    this.#totalBytes += segment.bytes;
    if (!segment.manifest) return;
    const siblings = this.#children.get(segment.manifest.parent) ?? new Set();
    this.#children.set(segment.manifest.parent, siblings.add(segment.key));
  }

  delete(key: string): void {
    const segment = this.#segments.get(key);
    if (!segment) return;
    this.#segments.delete(key);
    this.#totalBytes -= segment.bytes;
    if (!segment.manifest) return;
    const siblings = this.#children.get(segment.manifest.parent);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#children.delete(segment.manifest.parent);
  }

  childrenOf(key: string | null): readonly string[] {
    return [...(this.#children.get(key) ?? [])];
  }

  /** From the first segment to `leaf`; null when one of them is missing or unreadable. */
  path(leaf: string): Segment[] | null {
    const path: Segment[] = [];
    for (let key: string | null = leaf; key !== null; ) {
      const segment = this.#segments.get(key);
      if (!segment?.manifest) return null;
      path.push(segment);
      key = segment.manifest.parent;
    }
    return path.reverse();
  }

  /** True when `ancestor` lies on the path to `leaf`, and is not `leaf` itself. */
  isAncestor(ancestor: string, leaf: string): boolean {
    let key = this.#segments.get(leaf)?.manifest?.parent ?? null;
    while (key !== null && key !== ancestor) key = this.#segments.get(key)?.manifest?.parent ?? null;
    return key !== null;
  }

  /**
   * Everything that `leaves` keep alive. `uncertain` when a segment on the way is missing or cannot be
   * read: what lies above it may be needed too.
   */
  needed(leaves: Iterable<string>): { keys: Set<string>; uncertain: boolean } {
    const keys = new Set<string>();
    let uncertain = false;
    for (const leaf of leaves) {
      let key: string | null = leaf;
      while (key !== null && !keys.has(key)) {
        const segment: Segment | undefined = this.#segments.get(key);
        if (!segment) {
          uncertain = true;
          break;
        }
        keys.add(key);
        uncertain ||= segment.manifest === null;
        key = segment.manifest?.parent ?? null;
      }
    }
    return { keys, uncertain };
  }

  /**
   * The longest path of whole segments that `tokens` begins with. Segments of other lengths may begin
   * with the same tokens, so every branch that matches is followed; a key says whether it does.
   */
  longest(fingerprint: string, tokens: Uint32Array): Segment[] {
    let best: Segment | null = null;
    const waiting: (Segment | null)[] = [null];
    while (waiting.length > 0) {
      const parent = waiting.pop() ?? null;
      const position = endOf(parent);
      if (position > endOf(best)) best = parent;
      const keyByLength = new Map<number, string>();
      for (const child of this.childrenOf(parent?.key ?? null)) {
        const segment = this.#segments.get(child);
        if (!segment?.manifest || segment.quarantined || segment.manifest.fingerprint !== fingerprint) continue;
        const length = segment.manifest.tokenCount;
        if (position + length > tokens.length) continue;
        const wanted = keyByLength.get(length) ?? keyOf(parent?.key ?? null, fingerprint, tokens.subarray(position, position + length));
        keyByLength.set(length, wanted);
        if (wanted === child) waiting.push(segment);
      }
    }
    return best ? (this.path(best.key) ?? []) : [];
  }

  withDescendants(keys: Iterable<string>): Set<string> {
    const all = new Set<string>();
    const waiting = [...keys];
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      if (!all.has(key)) waiting.push(...this.childrenOf(key));
      all.add(key);
    }
    return all;
  }

  /** Children before their parents. */
  leafFirst(keys: Iterable<string>): string[] {
    return [...keys].sort((left, right) => this.#positionOf(right) - this.#positionOf(left));
  }

  #positionOf(key: string): number {
    return this.#segments.get(key)?.manifest?.position ?? 0;
  }
}

function endOf(segment: Segment | null): number {
  return segment?.manifest ? segment.manifest.position + segment.manifest.tokenCount : 0;
}
