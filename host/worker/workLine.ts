/**
 * Who has the GPU: answers one after another in the order they were asked for, and whatever can wait, such as a
 * reading, only while nobody waits for an answer.
 */
export class WorkLine {
  readonly #listeners = new Set<(busy: boolean) => void>();
  /** The end of the line of answers. */
  #last: Promise<void> = Promise.resolve();
  #hurried = 0;
  readonly #answerListeners = new Set<() => void>();

  /** Whether somebody waits for something, such as an answer that is being written or waits for its turn. */
  get busy(): boolean {
    return this.#hurried > 0;
  }

  /** Called when it becomes busy, and when it is not any more. */
  onBusy(listener: (busy: boolean) => void): void {
    this.#listeners.add(listener);
  }

  /** Called whenever an answer is asked for. Returns the function that stops listening. */
  onAnswer(listener: () => void): () => void {
    this.#answerListeners.add(listener);
    return () => this.#answerListeners.delete(listener);
  }

  /** Runs `work` when the answers before it have ended; at once when it is stopped: it then has nothing to do. */
  answer(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.#count(1);
    for (const listener of this.#answerListeners) listener();
    const before = this.#last;
    const turn = Promise.race([before, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))]);
    const ended = turn.then(work).finally(() => this.#count(-1));
    // The one after an answer that was stopped still waits for the ones before it.
    this.#last = Promise.allSettled([before, ended]).then(() => undefined);
    return ended;
  }

  /** Runs something short that cannot wait until a reading ends, and needs no turn among the answers. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.#count(1);
    try {
      return await work();
    } finally {
      this.#count(-1);
    }
  }

  /** Resolves when every answer that was asked for has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }

  #count(change: 1 | -1): void {
    const before = this.busy;
    this.#hurried += change;
    if (this.busy === before) return;
    for (const listener of this.#listeners) listener(this.busy);
  }
}
