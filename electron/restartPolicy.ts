/** Decides what happens when the host, or the process of the window, ends by itself: start it again, or, when it keeps ending, ask. */

const windowMs = 60_000;
const restartsInWindow = 3;
const firstDelayMs = 250;

export type Decision = { kind: 'restart'; delayMs: number } | { kind: 'ask' };

export class RestartPolicy {
  #endedAtMs: number[] = [];

  /** What to do about an end at this time (of a clock that never goes back); a burst of them waits longer each time. */
  decide(nowMs: number): Decision {
    this.#endedAtMs = [...this.#endedAtMs.filter((endMs) => nowMs - endMs < windowMs), nowMs];
    const ends = this.#endedAtMs.length;
    if (ends > restartsInWindow) return { kind: 'ask' };
    return { kind: 'restart', delayMs: firstDelayMs * 2 ** (ends - 1) };
  }

  /** The person chose to try again: a clean slate. */
  reset(): void {
    this.#endedAtMs = [];
  }
}
