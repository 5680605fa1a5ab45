/**
 * Cuts generated text at the first stop string. Text that could still become one is held back, so
 * nothing of a stop string is ever shown.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop.length > 0);
  }

  /** The text that is safe to show, and whether a stop string was found (then nothing may follow). */
  push(text: string): { text: string; stopped: boolean } {
    this.#held += text;
    const at = this.#earliest();
    if (at >= 0) {
      const shown = this.#held.slice(0, at);
      this.#held = '';
      return { text: shown, stopped: true };
    }
    const keep = this.#possibleStart();
    const shown = this.#held.slice(0, this.#held.length - keep);
    this.#held = this.#held.slice(this.#held.length - keep);
    return { text: shown, stopped: false };
  }

  /** What was held back, when the text ends without a stop string. */
  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  #earliest(): number {
    const places = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    return places.length > 0 ? Math.min(...places) : -1;
  }

  /** Length of the longest end of the held text that begins some stop string. */
  #possibleStart(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
