/** Aborts when too little came for too long, or when whoever waits stops. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  expired = false;
  #timer: NodeJS.Timeout | undefined;
  #leftMs = 0;
  #sinceMs = 0;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
  }

  /** From now on, so long. */
  allow(milliseconds: number): void {
    this.stop();
    this.#leftMs = milliseconds;
    this.#sinceMs = performance.now();
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#controller.abort();
    }, milliseconds);
  }

  /** Time stands still until `resume`. */
  hold(): void {
    this.stop();
    this.#leftMs -= performance.now() - this.#sinceMs;
  }

  resume(): void {
    this.allow(Math.max(0, this.#leftMs));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
