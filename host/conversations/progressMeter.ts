/** Turns counts into a rate and the time left, and lets through no more reports than anyone can see. */
import type { AnswerProgress } from '../contract/entities.ts';

export type Phase = AnswerProgress['phase'];
export type Progress = Omit<AnswerProgress, 'conversationId' | 'messageId' | 'tiers'>;

const answerReportEveryMs = 100;

export class ProgressMeter {
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  readonly #reportEveryMs: number;
  #phase: Phase | undefined;
  #firstDone = 0;
  #firstAtMs = 0;
  #reportedAtMs = -Infinity;
  /** Held back, because the one before was shown a moment ago. */
  #held: [Phase, number, number] | null = null;

  constructor(report: (progress: Progress) => void, now: () => number = () => performance.now(), reportEveryMs = answerReportEveryMs) {
    this.#report = report;
    this.#now = now;
    this.#reportEveryMs = reportEveryMs;
  }

  update(phase: Phase, done: number, total: number): void {
    const now = this.#now();
    const begins = phase !== this.#phase;
    if (begins) {
      this.#phase = phase;
      // What is there at the first report, such as tokens from the cache, took no time.
      this.#firstDone = done;
      this.#firstAtMs = now;
    } else if (now - this.#reportedAtMs < this.#reportEveryMs && done < total) {
      this.#held = [phase, done, total];
      return;
    }
    this.#show(phase, done, total, now);
  }

  /** Reports what was held back last, for whoever wants to know how far it came in the end. */
  flush(): void {
    if (this.#held) this.#show(...this.#held, this.#now());
  }

  #show(phase: Phase, done: number, total: number, now: number): void {
    this.#held = null;
    this.#reportedAtMs = now;
    const elapsedSeconds = (now - this.#firstAtMs) / 1000;
    const perSecond = elapsedSeconds > 0 ? (done - this.#firstDone) / elapsedSeconds : 0;
    // An answer may end at any token: only the other phases have a known end.
    const hasEnd = phase === 'loading' || phase === 'reading';
    const secondsLeft = hasEnd && perSecond > 0 ? Math.max(0, total - done) / perSecond : null;
    this.#report({ phase, done: Math.round(done), total: Math.round(total), perSecond, secondsLeft });
  }
}
