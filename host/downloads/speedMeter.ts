/** Bytes per second over the last few seconds. */
const windowMs = 3000;

export class SpeedMeter {
  #samples: { atMs: number; bytes: number }[] = [];

  note(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    // Going backwards is a new start.
    if (last && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) > windowMs) this.#samples.shift();
  }

  perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs === first.atMs) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }
}
