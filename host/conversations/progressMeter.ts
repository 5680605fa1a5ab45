/** Turns counts into a rate and the time left, and lets through no more reports than anyone can see. */
import type { AnswerProgress } from '../contract/entities.ts';

export type Phase = AnswerProgress['phase'];
export type Progress = Omit<AnswerProgress, 'conversationId' | 'messageId'>;

const reportEveryMs = 100;

export class ProgressMeter {
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  #phase: Phase | undefined;
  #firstDone = 0;
  #firstAtMs = 0;
  #reportedAtMs = -Infinity;

  constructor(report: (progress: Progress) => void, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  update(phase: Phase, done: number, total: number): void {
    const now = this.#now();
    const begins = phase !== this.#phase;
    if (begins) {
      this.#phase = phase;
      // What is there at the first report, such as tokens from the cache, took no time.
      this.#firstDone = done;
      this.#firstAtMs = now;
    } else if (now - this.#reportedAtMs < reportEveryMs && done < total) return;
    this.#reportedAtMs = now;
    const elapsedSeconds = (now - this.#firstAtMs) / 1000;
    const perSecond = elapsedSeconds > 0 ? (done - this.#firstDone) / elapsedSeconds : 0;
    // An answer may end at any token: only the other phases have a known end.
    const hasEnd = phase === 'loading' || phase === 'reading';
    const secondsLeft = hasEnd && perSecond > 0 ? Math.max(0, total - done) / perSecond : null;
    this.#report({ phase, done: Math.round(done), total: Math.round(total), perSecond, secondsLeft });
  }
}
