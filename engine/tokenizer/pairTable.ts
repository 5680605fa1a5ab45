const absent = -1;

/**
 * The merges of a byte-pair encoding: a pair of symbols to the rank of its merge. An open-addressing
 * hash table in typed arrays, several times smaller and faster than a `Map` with joined keys.
 */
export class PairTable {
  private readonly lefts: Int32Array;
  private readonly rights: Int32Array;
  private readonly ranks: Int32Array;
  private readonly mask: number;

  /** A table for up to `count` pairs. */
  constructor(count: number) {
    let capacity = 16;
    while (capacity < count * 2) capacity *= 2;
    this.mask = capacity - 1;
    this.lefts = new Int32Array(capacity);
    this.rights = new Int32Array(capacity);
    this.ranks = new Int32Array(capacity).fill(absent);
  }

  /** Adds a pair; when it is already there the first rank stays. */
  add(left: number, right: number, rank: number): void {
    const slot = this.slotOf(left, right);
    if (this.ranks[slot] !== absent) return;
    this.lefts[slot] = left;
    this.rights[slot] = right;
    this.ranks[slot] = rank;
  }

  /** The rank of a pair; Infinity when the two do not merge. */
  rankOf(left: number, right: number): number {
    const rank = this.ranks[this.slotOf(left, right)];
    return rank === absent ? Infinity : rank;
  }

  private slotOf(left: number, right: number): number {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & this.mask;
    while (this.ranks[slot] !== absent && (this.lefts[slot] !== left || this.rights[slot] !== right)) {
      slot = (slot + 1) & this.mask;
    }
    return slot;
  }
}
