/**
 * Records where the attention of a few heads goes while an answer is written: each step leaves their queries, and every few
 * steps one pass over the keys turns those into shares, a few KB that are read back while decoding goes on. Only where
 * every key lies on the GPU: what a policy estimates beyond it is its own view of itself, and is not recorded.
 */
import type { Device } from '../device/device.ts';
import type { Readback } from '../device/readback.ts';
import { KvCache } from '../kv/cache.ts';
import { FarMemory } from '../kv/tiers/farLayer.ts';
import { isPlainAttention } from '../models/spec.ts';
import type { Runner } from '../runner.ts';
import type { InspectedHead } from './inspection.ts';
import { bindWatchKernels, type WatchedLayer, type WatchedPart, type WatchKernels } from './watchKernels.ts';

export interface RecorderOptions {
  heads: readonly InspectedHead[];
  /** Which of them the shares of parts are the mean of. */
  chosen: (head: InspectedHead) => boolean;
  /** Of all positions that rows will see, in order; what lies between parts counts for nothing. */
  parts: readonly WatchedPart[];
  /** Rows before this one are not recorded: it is the last of the prompt, which says the answer's first token. */
  firstPosition: number;
  /** In ascending order of positions; rows that had to be computed again come again. */
  onRows(rows: readonly RecordedRow[]): void;
}

export interface RecordedRow {
  position: number;
  /** By part: a mean over the chosen heads. */
  shares: Float32Array;
  /** By watched head, layer after layer (`AttentionRecorder.heads`): first tokens, latest, documents, rest; together 1. */
  zones: Float32Array;
}

/** Rows that are looked at together: each key is then read once for several of them. */
const batchRows = 8;
/** A step may be computed again, and the one ahead of it. */
const capacityRows = batchRows + 4;

export class AttentionRecorder {
  /** In the order of what is recorded. */
  readonly heads: readonly InspectedHead[];
  readonly #device: Device;
  readonly #runner: Runner;
  readonly #readback: Readback;
  readonly #kernels: WatchKernels;
  readonly #options: RecorderOptions;
  #next: number;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(device: Device, runner: Runner, readback: Readback, kernels: WatchKernels, heads: readonly InspectedHead[], options: RecorderOptions) {
    this.#device = device;
    this.#runner = runner;
    this.#readback = readback;
    this.#kernels = kernels;
    this.heads = heads;
    this.#options = options;
    this.#next = options.firstPosition;
  }

  /** To be opened before the first of its rows is computed. Throws `out-of-gpu-memory`. */
  static async open(device: Device, runner: Runner, readback: Readback, options: RecorderOptions): Promise<AttentionRecorder> {
    const byLayer = new Map<number, number[]>();
    const ordered = [...options.heads].sort((a, b) => a.layer - b.layer || a.head - b.head);
    for (const { layer, head } of ordered) byLayer.set(layer, [...(byLayer.get(layer) ?? []), head]);
    await runner.watch.open({ heads: byLayer, firstPosition: options.firstPosition, capacityRows });
    try {
      const layers = [...byLayer].map(([layer, watched]) => watchedLayer(runner, layer, watched));
      const chosen = ordered.map(options.chosen);
      const count = Math.max(1, chosen.filter(Boolean).length);
      const kernels = await bindWatchKernels(device, layers, { capacityRows, parts: options.parts, factors: chosen.map((counts) => (counts ? 1 / count : 0)) });
      return new AttentionRecorder(device, runner, readback, kernels, ordered, options);
    } catch (error) {
      runner.watch.close();
      throw error;
    }
  }

  /** To be called when the step of the row at `position` was submitted. Waits for nothing. */
  stepped(position: number): void {
    if (this.#closed) return;
    this.#next = Math.min(this.#next, position);
    if (position + 1 - this.#next >= batchRows) this.#record(position + 1);
  }

  /** Records what is left, up to the row before `end`; resolves when `onRows` has been told of everything. */
  async finish(end: number): Promise<void> {
    if (!this.#closed && this.#next < end) this.#record(end);
    await this.#reading;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kernels.free();
    this.#runner.watch.close();
  }

  #record(end: number): void {
    const [position, rows] = [this.#next, end - this.#next];
    this.#next = end;
    if (this.#runner.far && this.#runner.far.sealed > 0) return;
    const encode = this.#kernels.within({ position, rows });
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'watched heads' });
    encode(pass);
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
    const { parts } = this.#options;
    // Both are copied before anything that is submitted later writes there.
    const read = Promise.all([this.#readback.floats(this.#kernels.shares, 0, capacityRows * parts.length), this.#readback.floats(this.#kernels.zones, 0, 4 * capacityRows * this.heads.length)]);
    const told = this.#reading.then(async () => this.#tell(position, rows, await read));
    // A lost device ends the answer by itself.
    this.#reading = told.catch(() => undefined);
  }

  #tell(position: number, rows: number, [shares, zones]: [Float32Array, Float32Array]): void {
    const { parts, onRows } = this.#options;
    const row = (at: number): RecordedRow => {
      const slot = at % capacityRows;
      return { position: at, shares: shares.subarray(slot * parts.length, (slot + 1) * parts.length), zones: zones.subarray(4 * slot * this.heads.length, 4 * (slot + 1) * this.heads.length) };
    };
    onRows(Array.from({ length: rows }, (_, i) => row(position + i)));
  }
}

function watchedLayer(runner: Runner, layer: number, watched: readonly number[]): WatchedLayer {
  const { mixer } = runner.spec.blocks[layer];
  const cache = runner.caches[layer];
  const kv = cache instanceof FarMemory ? cache.ring : cache;
  const queries = runner.watch.kept(layer);
  if (!isPlainAttention(mixer) || !(kv instanceof KvCache) || !queries) throw new RangeError(`layer ${layer} has no heads to watch`);
  return { queries, keys: kv.keys, layout: kv.layout, heads: mixer.heads, window: mixer.windowTokens, watched };
}
