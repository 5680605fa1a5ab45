/**
 * How long a process waits for a sign of life of one that it started. Time is counted in own beats, not read from a
 * clock: clocks jump, and after the machine has slept neither side owes the other anything.
 */

export interface HeartbeatOptions {
  everyMs: number;
  /** How long the other may be silent; asked at every beat, because starting takes longer than answering. */
  patienceMs(): number;
  /** Asks for a sign of life. */
  ping(): void;
  /** Called once. */
  onHang(): void;
  /** A clock that never goes back, in milliseconds. */
  nowMs?(): number;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #nowMs: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #beatAtMs: number;
  #silentMs = 0;
  #asked = false;

  /** `owing`: the other owes a sign of life from the start, before it was asked for one. */
  constructor(options: HeartbeatOptions, owing = false) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#beatAtMs = this.#nowMs();
    this.#asked = owing;
  }

  start(): void {
    this.#timer = setInterval(() => this.beat(), this.#options.everyMs);
    // Of no interest to a process that has nothing else to do.
    if (typeof this.#timer === 'object') this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The other said something, whatever it was. */
  heard(): void {
    this.#asked = false;
    this.#silentMs = 0;
  }

  beat(): void {
    const nowMs = this.#nowMs();
    const sinceMs = nowMs - this.#beatAtMs;
    this.#beatAtMs = nowMs;
    if (!this.#asked) {
      this.#asked = true;
      this.#silentMs = 0;
      this.#options.ping();
      return;
    }
    // A beat that comes far too late was held up here, by sleep or by work: the other may have answered meanwhile.
    this.#silentMs += Math.min(sinceMs, 2 * this.#options.everyMs);
    if (this.#silentMs <= this.#options.patienceMs()) return;
    this.stop();
    this.#options.onHang();
  }
}
