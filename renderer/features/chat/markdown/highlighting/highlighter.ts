/**
 * Asks the highlighting worker for the colours of code, one block at a time, so that what is no longer wanted is never
 * begun. The worker starts with the first block. One that fails, or does not answer in time, is ended and another started,
 * a few times; after that code stays plain. What was highlighted is remembered, because scrolling shows it again.
 */
import type { CodeLanguage } from './languages.ts';
import { type CodeRuns, type HighlightRequest, isAnswer, plainRuns, runsOf } from './protocol.ts';

/** The part of a worker that is needed. */
export interface HighlightWorker {
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  postMessage(request: HighlightRequest): void;
  terminate(): void;
}

interface Block {
  code: string;
  language: CodeLanguage;
  /** Null once nobody waits for it. */
  found: ((runs: CodeRuns) => void) | null;
}

/** Longer code is shown plain. */
const longestCode = 100_000;
const mostRemembered = 200;
const mostWorkers = 3;

export class Highlighter {
  readonly #startWorker: () => HighlightWorker;
  readonly #answerWithinMs: number;
  readonly #restartAfterMs: number;
  readonly #remembered = new Map<string, CodeRuns>();
  #waiting: Block[] = [];
  #asked: { id: number; block: Block; deadline: ReturnType<typeof setTimeout> } | null = null;
  #worker: HighlightWorker | null = null;
  #workers = 0;
  #pausing = false;
  #lastId = 0;

  /** `answerWithinMs` is long, because the processor may be busy with an answer and the first block waits for its grammar. */
  constructor(startWorker: () => HighlightWorker, { answerWithinMs = 20_000, restartAfterMs = 1000 } = {}) {
    this.#startWorker = startWorker;
    this.#answerWithinMs = answerWithinMs;
    this.#restartAfterMs = restartAfterMs;
  }

  /** What was highlighted before, without waiting. */
  remembered(code: string, language: CodeLanguage): CodeRuns | null {
    return this.#remembered.get(keyOf(code, language)) ?? null;
  }

  /** Calls `found` at most once, and no more after the function that it returns was called. */
  highlight(code: string, language: CodeLanguage, found: (runs: CodeRuns) => void): () => void {
    const block: Block = { code, language, found };
    if (code.length <= longestCode) {
      this.#waiting.push(block);
      this.#askNext();
    }
    return () => {
      block.found = null;
    };
  }

  #askNext(): void {
    this.#waiting = this.#waiting.filter(({ found }) => found !== null);
    if (this.#asked || this.#pausing) return;
    const block = this.#waiting.shift();
    if (!block) return;
    const known = this.remembered(block.code, block.language);
    if (known) {
      block.found?.(known);
      this.#askNext();
      return;
    }
    const id = ++this.#lastId;
    this.#asked = { id, block, deadline: setTimeout(() => this.#tooLate(block), this.#answerWithinMs) };
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, code: block.code, language: block.language });
    } catch {
      this.#failed();
    }
  }

  #start(): HighlightWorker {
    this.#workers += 1;
    const worker = this.#startWorker();
    worker.addEventListener('message', ({ data }) => {
      if (worker === this.#worker && isAnswer(data) && data.id === this.#asked?.id) this.#answered(runsOf(data, this.#asked.block.code));
    });
    const onError = (event: Event) => {
      // Told nowhere: the code is there, without colours.
      event.preventDefault();
      if (worker === this.#worker) this.#failed();
    };
    worker.addEventListener('error', onError);
    worker.addEventListener('messageerror', onError);
    return worker;
  }

  #answered(runs: CodeRuns): void {
    const block = this.#takeAsked();
    if (!block) return;
    if (this.#remembered.size >= mostRemembered) this.#remembered.delete(this.#remembered.keys().next().value ?? '');
    this.#remembered.set(keyOf(block.code, block.language), runs);
    block.found?.(runs);
    this.#askNext();
  }

  /** Code that holds a worker up stays plain, so that it does not hold up the next one, too. */
  #tooLate(block: Block): void {
    this.#endWorker();
    this.#answered(plainRuns(block.code));
  }

  #failed(): void {
    this.#endWorker();
    const block = this.#takeAsked();
    if (block) this.#waiting.unshift(block);
  }

  #endWorker(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#pausing = true;
    if (this.#workers >= mostWorkers) return;
    setTimeout(() => {
      this.#pausing = false;
      this.#askNext();
    }, this.#restartAfterMs * this.#workers);
  }

  #takeAsked(): Block | null {
    if (!this.#asked) return null;
    const { block, deadline } = this.#asked;
    clearTimeout(deadline);
    this.#asked = null;
    return block;
  }
}

function keyOf(code: string, language: CodeLanguage): string {
  return `${language}\n${code}`;
}
