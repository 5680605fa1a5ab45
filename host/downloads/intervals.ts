/** Which bytes of a file are there: disjoint stretches [start, end) in order, joined where they touch. */
export interface Interval {
  start: number;
  end: number;
}

export class Intervals {
  #stretches: Interval[] = [];

  constructor(stretches: readonly Interval[] = []) {
    for (const stretch of stretches) this.add(stretch);
  }

  list(): readonly Interval[] {
    return this.#stretches;
  }

  get total(): number {
    return this.#stretches.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add({ start, end }: Interval): void {
    if (end <= start) return;
    const apart = this.#stretches.filter((other) => other.end < start || other.start > end);
    const touching = this.#stretches.filter((other) => other.end >= start && other.start <= end);
    const joined = { start: Math.min(start, ...touching.map((other) => other.start)), end: Math.max(end, ...touching.map((other) => other.end)) };
    this.#stretches = [...apart, joined].sort((a, b) => a.start - b.start);
  }

  remove({ start, end }: Interval): void {
    if (end <= start) return;
    this.#stretches = this.#stretches.flatMap((other) =>
      [
        { start: other.start, end: Math.min(other.end, start) },
        { start: Math.max(other.start, end), end: other.end },
      ].filter((left) => left.end > left.start),
    );
  }

  /** The first stretch below `size` that is not there, of at most `mostBytes`; null when nothing is missing. */
  firstGap(size: number, mostBytes = Infinity): Interval | null {
    let start = 0;
    for (const stretch of this.#stretches) {
      if (stretch.start > start) return { start, end: Math.min(stretch.start, start + mostBytes, size) };
      start = stretch.end;
    }
    return start < size ? { start, end: Math.min(size, start + mostBytes) } : null;
  }
}
