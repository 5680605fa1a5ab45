/**
 * The tokens a runner has read, and how they change: extended in chunks, cut back to a shared prefix,
 * continued token by token. What two prompts share is never read twice.
 */
import type { Device } from './device/device.ts';
import { cancelled, EngineError } from './errors.ts';
import { ChunkSizer } from './chunkSizer.ts';
import type { MixerCheckpoint } from './layers/mixer.ts';
import { mostSparseRows } from './layers/sparseReading/sparseReading.ts';
import type { Step } from './layers/step.ts';
import type { Runner } from './runner.ts';

export interface ExtendOptions {
  signal?: AbortSignal;
  /** Tokens read so far and in all, of those that were not cached. */
  onProgress?: (doneTokens: number, totalTokens: number) => void;
  /** Lengths to keep a checkpoint at, e.g. the end of the documents; the newest few are kept. */
  checkpointsAt?: readonly number[];
  /** A chunk ends at each multiple of this many tokens, for whoever keeps what is there only then. */
  stopsEvery?: number;
  /** Rows a chunk (as far as the runner has room), for tests and measurements; else sized by time. */
  chunkTokens?: number;
  /** Tokens before this length are those of documents, which may be read sparsely; left out, nothing is. */
  sparseBefore?: number;
  /** Reads as decoding does: a row at a time, by the policy of the far layers, e.g. to score a given continuation. */
  asDecoding?: boolean;
  /**
   * Called when a chunk has been submitted, before the next one: what it submits itself, e.g. for the logits of inner
   * positions, finds the chunk's rows, and what is waited for here keeps the next chunk from being encoded ahead.
   */
  onChunk?: (firstPosition: number, rows: number) => Promise<void>;
}

interface Checkpoint {
  kind: keyof typeof maximumCheckpoints;
  length: number;
  parts: readonly MixerCheckpoint[];
}

/** The newest are kept: ends of documents, and of prompts, to which a regenerated answer returns. */
const maximumCheckpoints = { asked: 2, prompt: 2 };

export class Sequence {
  readonly #device: Device;
  readonly #runner: Runner;
  readonly #sizer: ChunkSizer;
  /** A real GPU would wait for the processor between two chunks. */
  readonly #encodesAhead: boolean;
  #finishedMs = 0;
  #tokens: number[] = [];
  /** Positions ever written since the caches were last consistent: a ring forgets what lies further back. */
  #written = 0;
  /** First position that the rings had when the sequence was adopted; 0 for one that was read. */
  #ringsFrom = 0;
  #checkpoints: Checkpoint[] = [];

  constructor(device: Device, runner: Runner, { encodesAhead = device.facts.kind === 'gpu' } = {}) {
    this.#encodesAhead = encodesAhead;
    this.#device = device;
    this.#runner = runner;
    this.#sizer = new ChunkSizer(device.facts.kind, runner.maxRows, runner.maxChunkRows);
  }

  get length(): number {
    return this.#tokens.length;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** How many positions were stored since the rings began: they hold the last of these. */
  get written(): number {
    return this.#written;
  }

  /** Tokens a second of the last chunks, null before the first. */
  get readingTokensPerSecond(): number | null {
    return this.#sizer.tokensPerSecond;
  }

  /** How many of these tokens would not have to be read again. */
  reusable(tokens: readonly number[]): number {
    return this.#resumeFrom(tokens).length;
  }

  /**
   * Makes the sequence exactly `tokens`, reading only what is not cached yet; at least the last token
   * is computed, so that its logits (row 0 of `runner.logits`) are there afterwards. A cancelled call
   * keeps every whole chunk that it has submitted.
   */
  async extend(tokens: readonly number[], options: ExtendOptions = {}): Promise<{ reusedTokens: number }> {
    this.#checkFits(tokens.length);
    const reusedTokens = await this.#cutTo(tokens);
    // States cannot go back by the one token that is always computed again.
    const promptEnd = this.#runner.keepsStates ? tokens.length - 1 : null;
    const total = tokens.length - reusedTokens;
    options.onProgress?.(0, total);
    /** What the GPU computes while the next chunk is encoded. */
    let running = Promise.resolve();
    let computed = reusedTokens;
    while (this.length < tokens.length) {
      if (options.signal?.aborted) throw cancelled();
      const position = this.length;
      const { rows, sparse, ahead } = this.#nextChunk(tokens.length, promptEnd, options);
      const before = running;
      ({ computed: running } = await this.#submitChunk(tokens.slice(position, position + rows), { last: position + rows === tokens.length, exact: !options.asDecoding, sparse, signal: options.signal }));
      await options.onChunk?.(position, rows);
      await (ahead ? before : running);
      computed = ahead ? position : this.length;
      options.onProgress?.(computed - reusedTokens, total);
      if (options.checkpointsAt?.includes(this.length)) this.#keepCheckpoint('asked');
      else if (this.length === promptEnd && !options.asDecoding) this.#keepCheckpoint('prompt');
    }
    await running;
    if (computed < tokens.length) options.onProgress?.(total, total);
    return { reusedTokens };
  }

  /**
   * Begins with `tokens`, whose keys and values were put into the caches; rings have the positions from `ringsFrom`
   * on. The next call must read at least one more.
   */
  adopt(tokens: readonly number[], ringsFrom: number): void {
    this.clear();
    this.#tokens = [...tokens];
    this.#written = tokens.length;
    this.#ringsFrom = ringsFrom;
  }

  /** Notes a token that a decode step has stored at the end. */
  append(token: number): void {
    this.#tokens.push(token);
    this.#written = Math.max(this.#written, this.#tokens.length);
  }

  /** Notes that positions up to `length` were stored beside the sequence, which rings have to make up for. */
  noteOverwritten(length: number): void {
    this.#written = Math.max(this.#written, length);
  }

  /** Forgets the last tokens, e.g. one that was computed ahead and is not wanted. Only the newest may go. */
  dropTo(length: number): void {
    this.#tokens.length = Math.min(this.#tokens.length, length);
  }

  /** Forgets everything; the next call reads from the start. */
  clear(): void {
    this.#tokens = [];
    this.#written = 0;
    this.#ringsFrom = 0;
    for (const checkpoint of this.#checkpoints) for (const part of checkpoint.parts) part.free();
    this.#checkpoints = [];
  }

  /** A chunk of a prompt of `end` tokens ends where something is kept, or begins to be read otherwise. */
  #nextChunk(end: number, promptEnd: number | null, { checkpointsAt = [], stopsEvery, sparseBefore, asDecoding = false, chunkTokens }: ExtendOptions): { rows: number; sparse: boolean; ahead: boolean } {
    const position = this.length;
    const { sparseReading, far, maxChunkRows } = this.#runner;
    const sparseFrom = sparseReading && sparseBefore !== undefined ? sparseReading.fromTokens : Infinity;
    const sparse = !asDecoding && position >= sparseFrom && position < (sparseBefore ?? 0);
    const everyStop = stopsEvery ? position + stopsEvery - (position % stopsEvery) : end;
    const stops = [...checkpointsAt, promptEnd ?? end, sparseFrom, sparseFrom < (sparseBefore ?? 0) ? (sparseBefore ?? end) : end, everyStop];
    const stop = Math.min(end, ...stops.filter((length) => length > position));
    const farBytes = far?.farBytesAt(position, sparse) ?? 0;
    const mostRows = sparse ? Math.min(mostSparseRows, maxChunkRows) : maxChunkRows;
    const left = stop - position;
    const rows = asDecoding ? 1 : Math.min(chunkTokens ?? this.#sizer.chunkOf(left, farBytes), mostRows, left);
    // The first chunk says how large the next ones are to be.
    return { rows, sparse, ahead: this.#encodesAhead && !asDecoding && this.#sizer.tokensPerSecond !== null };
  }

  /** The tokens count from the chunk's submission on. */
  async #submitChunk(tokens: readonly number[], { last, exact, sparse, signal }: { last: boolean; exact: boolean; sparse: boolean; signal?: AbortSignal }): Promise<{ computed: Promise<void> }> {
    const startedMs = performance.now();
    this.#runner.writeTokens(tokens);
    const encoder = await this.#encodeChunk({ rows: tokens.length, position: this.length, exact, sparse }, signal);
    if (last) this.#runner.encodeHead(encoder, [tokens.length - 1]);
    this.#device.gpu.queue.submit([encoder.finish()]);
    this.#tokens.push(...tokens);
    this.#written = Math.max(this.#written, this.#tokens.length);
    const computed = this.#computed(tokens.length, startedMs);
    // Whoever waits for it hears of a failure.
    computed.catch(() => undefined);
    return { computed };
  }

  async #computed(rows: number, submittedMs: number): Promise<void> {
    try {
      await this.#device.finished();
    } catch (error) {
      this.clear();
      throw error;
    }
    const finishedMs = performance.now();
    // What was submitted ahead begins when the chunk before it ends.
    const elapsedMs = finishedMs - Math.max(submittedMs, this.#finishedMs);
    this.#finishedMs = finishedMs;
    this.#sizer.note({ rows, elapsedMs, upload: this.#runner.far?.windows.takeTimes() });
  }

  /** Encodes a chunk of rows after the sequence; when it is stopped on its way, the caches are as they were before. */
  async #encodeChunk(step: Step, signal: AbortSignal | undefined): Promise<GPUCommandEncoder> {
    const { rows, position } = step;
    // Rings can take back the rows of one block by themselves.
    const before = rows > this.#runner.maxRows ? this.#checkpointParts() : [];
    try {
      return await this.#runner.encodeLayers(step, signal);
    } catch (error) {
      if (before.length > 0) this.#restore(before);
      else this.#written = Math.max(this.#written, position + rows);
      throw error;
    } finally {
      for (const part of before) part.free();
    }
  }

  #checkpointParts(): MixerCheckpoint[] {
    const encoder = this.#device.gpu.createCommandEncoder();
    const parts = this.#runner.mixers.map((mixer) => mixer.checkpoint(encoder, this.length)).filter((part) => part !== null);
    this.#device.gpu.queue.submit([encoder.finish()]);
    return parts;
  }

  #restore(parts: readonly MixerCheckpoint[]): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    for (const part of parts) part.restore(encoder);
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  /** Where reading `tokens` can resume: directly, from a checkpoint, or from the start. */
  #resumeFrom(tokens: readonly number[]): { length: number; checkpoint: Checkpoint | null } {
    // The last token is always computed again: its logits are what the caller wants.
    const shared = Math.min(sharedPrefix(this.#tokens, tokens), tokens.length - 1);
    const held = this.#ringsFrom === 0 || shared >= this.#ringsFrom + this.#runner.windowTokens;
    if (held && this.#runner.mixers.every((mixer) => mixer.canTruncate(shared, this.#written))) return { length: shared, checkpoint: null };
    const usable = this.#checkpoints.filter(({ length }) => length <= shared).sort((a, b) => b.length - a.length)[0];
    return usable ? { length: usable.length, checkpoint: usable } : { length: 0, checkpoint: null };
  }

  async #cutTo(tokens: readonly number[]): Promise<number> {
    const { length, checkpoint } = this.#resumeFrom(tokens);
    await this.#runner.truncate(length);
    this.#tokens.length = length;
    if (checkpoint) this.#restore(checkpoint.parts);
    if (checkpoint || length === 0) this.#written = length;
    if (length === 0) this.#ringsFrom = 0;
    for (const stale of this.#checkpoints.filter((kept) => kept.length > length)) for (const part of stale.parts) part.free();
    this.#checkpoints = this.#checkpoints.filter((kept) => kept.length <= length);
    return length;
  }

  #keepCheckpoint(kind: Checkpoint['kind']): void {
    if (this.#checkpoints.some(({ length }) => length === this.length)) return;
    const parts = this.#checkpointParts();
    if (parts.length === 0) return;
    this.#checkpoints.push({ kind, length: this.length, parts });
    const alike = this.#checkpoints.filter((kept) => kept.kind === kind);
    for (const oldest of alike.slice(0, -maximumCheckpoints[kind])) {
      for (const part of oldest.parts) part.free();
      this.#checkpoints.splice(this.#checkpoints.indexOf(oldest), 1);
    }
  }

  #checkFits(tokens: number): void {
    if (tokens > 0 && tokens <= this.#runner.contextTokens) return;
    throw new EngineError(
      'context-exceeded',
      `The prompt is ${tokens} tokens long, but the model's window is ${this.#runner.contextTokens}.`,
      'Attach a shorter document, or choose a model with a longer context.',
    );
  }
}

function sharedPrefix(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
