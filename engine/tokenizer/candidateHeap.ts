/** Two adjacent symbols that could join: `[left, right)` and `[right, end)`. */
export interface Candidate {
  priority: number;
  left: number;
  right: number;
  end: number;
}

/** A binary heap of candidates in typed arrays: the lowest priority first, the leftmost of equals. */
export class CandidateHeap {
  size = 0;
  private priorities: Float64Array;
  private lefts: Int32Array;
  private rights: Int32Array;
  private ends: Int32Array;
  /** `pop` returns this one object again and again, to spare an allocation each time. */
  private readonly popped: Candidate = { priority: 0, left: 0, right: 0, end: 0 };

  constructor(capacity: number) {
    this.priorities = new Float64Array(capacity);
    this.lefts = new Int32Array(capacity);
    this.rights = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  push(priority: number, left: number, right: number, end: number): void {
    if (this.size === this.priorities.length) this.grow();
    let place = this.size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.follows(parent, priority, left)) break;
      this.copy(parent, place);
      place = parent;
    }
    this.write(place, priority, left, right, end);
  }

  /** Removes the first candidate. The result is valid until the next call. */
  pop(): Candidate {
    const { popped } = this;
    popped.priority = this.priorities[0];
    popped.left = this.lefts[0];
    popped.right = this.rights[0];
    popped.end = this.ends[0];
    this.size--;
    if (this.size > 0) this.replaceFirst(this.size);
    return popped;
  }

  /** Moves the candidate at `last` to the top and down to its place. */
  private replaceFirst(last: number): void {
    const priority = this.priorities[last];
    const left = this.lefts[last];
    let place = 0;
    for (let child = 1; child < this.size; child = 2 * place + 1) {
      const sibling = child + 1;
      if (sibling < this.size && this.follows(child, this.priorities[sibling], this.lefts[sibling])) child = sibling;
      if (this.follows(child, priority, left)) break;
      this.copy(child, place);
      place = child;
    }
    this.write(place, priority, left, this.rights[last], this.ends[last]);
  }

  /** Whether the candidate at `place` comes after one of this priority and left side. */
  private follows(place: number, priority: number, left: number): boolean {
    const own = this.priorities[place];
    return own > priority || (own === priority && this.lefts[place] > left);
  }

  private copy(from: number, to: number): void {
    this.write(to, this.priorities[from], this.lefts[from], this.rights[from], this.ends[from]);
  }

  private write(place: number, priority: number, left: number, right: number, end: number): void {
    this.priorities[place] = priority;
    this.lefts[place] = left;
    this.rights[place] = right;
    this.ends[place] = end;
  }

  private grow(): void {
    const capacity = this.size * 2;
    const larger = new CandidateHeap(capacity);
    larger.priorities.set(this.priorities);
    larger.lefts.set(this.lefts);
    larger.rights.set(this.rights);
    larger.ends.set(this.ends);
    this.priorities = larger.priorities;
    this.lefts = larger.lefts;
    this.rights = larger.rights;
    this.ends = larger.ends;
  }
}
