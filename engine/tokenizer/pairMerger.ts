import { CandidateHeap } from './candidateHeap.ts';

/** How symbols join. A symbol is a run of initial symbols, named by the index of its first one. */
export interface MergeRule {
  /**
   * The priority of joining the symbol `[left, right)` with `[right, end)`; the lowest goes first, the
   * leftmost of equals. Infinity when they do not join.
   */
  priority(left: number, right: number, end: number): number;
  /** Told about each join that is done, with the priority given for it. */
  joined(left: number, right: number, end: number, priority: number): void;
}

const keptCapacity = 1 << 16;
const none = -1;

/**
 * Joins adjacent symbols, always the pair of lowest priority, until none joins: the merge of both
 * byte-pair encoding and SentencePiece. A binary heap over a linked list, O(n log n).
 */
export class PairMerger {
  private next = new Int32Array(256);
  private previous = new Int32Array(256);
  private heap = new CandidateHeap(256);

  /** The starts of the symbols that remain of `count` initial ones, ascending. */
  merge(count: number, rule: MergeRule): number[] {
    this.reserve(count);
    const { next, previous, heap } = this;
    for (let index = 0; index < count; index++) {
      next[index] = index + 1;
      previous[index] = index - 1;
    }
    for (let right = 1; right < count; right++) this.propose(right - 1, right, rule);

    while (heap.size > 0) {
      const { priority, left, right, end } = heap.pop();
      // Stale when either side has grown or gone since it was proposed.
      if (next[left] !== right || next[right] !== end) continue;
      next[left] = end;
      next[right] = none;
      if (end < count) previous[end] = left;
      rule.joined(left, right, end, priority);
      if (left > 0) this.propose(previous[left], left, rule);
      if (end < count) this.propose(left, end, rule);
    }

    const starts: number[] = [];
    for (let index = 0; index < count; index = next[index]) starts.push(index);
    if (count > keptCapacity) this.release();
    return starts;
  }

  private propose(left: number, right: number, rule: MergeRule): void {
    const end = this.next[right];
    const priority = rule.priority(left, right, end);
    if (priority !== Infinity) this.heap.push(priority, left, right, end);
  }

  private reserve(count: number): void {
    if (count <= this.next.length) return;
    const capacity = Math.max(count, this.next.length * 2);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
  }

  private release(): void {
    this.next = new Int32Array(256);
    this.previous = new Int32Array(256);
    this.heap = new CandidateHeap(256);
  }
}
