/**
 * The text of an answer on its way out: to the listeners in pieces of at most 30 a second, to the disk
 * at least once a second, so that a kill costs at most the last second.
 */
const emitEveryMs = 1000 / 30;
const saveEveryMs = 900;

export interface AnswerSink {
  /** `offset` is the length of the answer before this piece. */
  emit(offset: number, piece: string): void;
  save(text: string): void;
}

export class AnswerStream {
  readonly #sink: AnswerSink;
  #text = '';
  #emitted = 0;
  #saved = 0;
  #emitTimer: NodeJS.Timeout | undefined;
  #saveTimer: NodeJS.Timeout | undefined;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  get text(): string {
    return this.#text;
  }

  /** What listeners have been told so far: the next piece starts at its end. */
  get emittedText(): string {
    return this.#text.slice(0, this.#emitted);
  }

  append(piece: string): void {
    this.#text += piece;
    this.#emitTimer ??= setTimeout(() => this.#emit(), emitEveryMs);
    this.#saveTimer ??= setTimeout(() => this.#save(), saveEveryMs);
  }

  /** Sends what is pending; the caller saves the final text itself. */
  end(): void {
    this.#emit();
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
  }

  #emit(): void {
    clearTimeout(this.#emitTimer);
    this.#emitTimer = undefined;
    if (this.#emitted === this.#text.length) return;
    const offset = this.#emitted;
    this.#emitted = this.#text.length;
    this.#sink.emit(offset, this.#text.slice(offset));
  }

  #save(): void {
    this.#saveTimer = undefined;
    if (this.#saved === this.#text.length) return;
    this.#saved = this.#text.length;
    this.#sink.save(this.#text);
  }
}
