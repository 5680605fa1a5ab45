const slots = 1 << 16;

/**
 * Remembers which token two tokens join to. One entry a slot, the newest stays: bounded, and enough
 * because few pairs make up most of a text.
 */
export class JoinMemo {
  private readonly lefts = new Int32Array(slots).fill(-1);
  private readonly rights = new Int32Array(slots);
  private readonly results = new Int32Array(slots);
  private readonly compute: (left: number, right: number) => number;

  constructor(compute: (left: number, right: number) => number) {
    this.compute = compute;
  }

  /** What `compute` gives for the pair. */
  of(left: number, right: number): number {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    const slot = (mixed ^ (mixed >>> 15)) & (slots - 1);
    if (this.lefts[slot] !== left || this.rights[slot] !== right) {
      this.lefts[slot] = left;
      this.rights[slot] = right;
      this.results[slot] = this.compute(left, right);
    }
    return this.results[slot];
  }
}
