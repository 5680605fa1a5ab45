/**
 * Keeps a sequence while it is read: whole segments leave for the sink behind the reading, which waits only when those
 * of the chunk before have not arrived. Killed at any moment, what was sealed need not be read again: at most what is
 * on its way (of one chunk, or one segment) and what was not whole yet is lost.
 */
import type { Device } from '../device/device.ts';
import type { KeptSegment, SegmentSink } from '../ports.ts';
import type { Runner } from '../runner.ts';
import type { Sequence } from '../sequence.ts';
import { KeptVectors } from './keptVectors.ts';
import type { SegmentPart } from './parts.ts';
import { keptRunsOf } from './restore.ts';
import { SegmentExport } from './segmentExport.ts';

/** Segments end at multiples of this, and where a document or a turn does. */
export const keptSegmentTokens = 512;
/** Between the ends of documents and turns, rings and states are kept so often, for who cuts a document short or is cut short. */
export const keptSnapshotTokens = 8192;
/** A slow machine seals sooner, so that no more than this is lost. */
const sealAfterMs = 20_000;

export class Keeper {
  readonly #runner: Runner;
  readonly #sequence: Sequence;
  readonly #sink: SegmentSink;
  readonly #export: SegmentExport;
  /** What is kept of the sequence, by where it ends. */
  #segments: readonly KeptSegment[];
  /** Segments of an earlier path, of which the first tokens are the sequence's as well. */
  readonly #older: readonly KeptSegment[];
  readonly #sharedTokens: number;
  /** Up to where segments are taken, whether they have arrived or not. */
  #taken: number;
  #lastSealMs = performance.now();
  /** The segments on their way to the sink, each after the one before; never rejects. */
  #onItsWay: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  /**
   * `path` is kept of the prompt that is about to be read, as whole segments to go on from; `older` are segments of what
   * was read before, of which the first `sharedTokens` tokens stay.
   */
  constructor(
    device: Device,
    { runner, sequence }: { runner: Runner; sequence: Sequence },
    sink: SegmentSink,
    { path, older = [], sharedTokens }: { path: readonly KeptSegment[]; older?: readonly KeptSegment[]; sharedTokens: number },
  ) {
    this.#runner = runner;
    this.#sequence = sequence;
    this.#sink = sink;
    this.#export = new SegmentExport(device, runner);
    this.#segments = path;
    this.#older = older.filter(({ position }) => position < sharedTokens);
    this.#sharedTokens = sharedTokens;
    this.#taken = endOf(path);
    this.#tellStore(sharedTokens);
  }

  /** Tokens that are kept or on their way. */
  get keptTokens(): number {
    return this.#taken;
  }

  /** What can be read of the sequence, by where it ends. */
  get segments(): readonly KeptSegment[] {
    const end = endOf(this.#segments);
    if (end >= this.#sharedTokens) return this.#segments;
    return [...this.#segments, ...this.#older.filter((segment) => endOf([segment]) > end)];
  }

  /** How many of the sequence's tokens the segments hold. */
  get readableTokens(): number {
    return Math.max(endOf(this.#segments), Math.min(endOf(this.segments), this.#sharedTokens));
  }

  /**
   * To be called whenever the sequence has grown, before it grows again; `ends` where a document or a turn does. Waits
   * for what left after the chunk before. Throws what a seal has failed with.
   */
  async note({ ends = false } = {}): Promise<void> {
    const { length } = this.#sequence;
    const late = ends || performance.now() - this.#lastSealMs > sealAfterMs;
    const stops: number[] = [];
    for (let end = nextStop(this.#taken); end <= length; end = nextStop(end)) stops.push(end);
    if (late && length > (stops.at(-1) ?? this.#taken)) stops.push(length);
    if (stops.length === 0) return;
    await this.settled();
    this.#take(stops, late);
  }

  /** Waits for what is on its way, as it must before the sequence is cut. */
  async settled(): Promise<void> {
    await this.#onItsWay;
    this.#throwFailure();
  }

  free(): void {
    this.#export.free();
  }

  /** Segments from what is taken on, by where they end. */
  #take(ends: readonly number[], late: boolean): void {
    const stretches = ends.map((end, i) => ({
      first: i === 0 ? this.#taken : ends[i - 1],
      end,
      withStates: end === this.#sequence.length && (late || end % keptSnapshotTokens === 0),
    }));
    // The copies are queued here and now; what they copy may then be overwritten.
    const taken = this.#export.take(stretches, this.#sequence.written);
    for (const [i, { first, end }] of stretches.entries()) {
      const tokens = Uint32Array.from(this.#sequence.tokens.slice(first, end));
      this.#onItsWay = this.#seal(this.#onItsWay, first, tokens, taken[i]);
    }
    this.#taken = ends[ends.length - 1];
    this.#lastSealMs = performance.now();
  }

  async #seal(before: Promise<void>, position: number, tokens: Uint32Array, parts: Promise<SegmentPart[]>): Promise<void> {
    try {
      const [ready] = await Promise.all([parts, before]);
      if (this.#failure !== null) return;
      const segment = await this.#sink.seal({ position, tokens, parts: ready });
      this.#segments = [...this.#segments, segment];
      this.#tellStore(this.#sequence.length);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /** Segments that are kept can leave RAM. */
  #tellStore(length: number): void {
    this.#runner.far?.store.keep(keptRunsOf(this.#runner, new KeptVectors(this.segments)), { tokens: Math.min(this.readableTokens, length), growing: true });
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

function nextStop(position: number): number {
  return position + keptSegmentTokens - (position % keptSegmentTokens);
}

function endOf(segments: readonly KeptSegment[]): number {
  const last = segments.at(-1);
  return last ? last.position + last.tokenCount : 0;
}
