/**
 * Reading beyond the GPU: the queries of a whole chunk attend to the ring and to everything far, which streams past them
 * in windows. A window adds itself to what is already there, so the last one leaves the result.
 */
import type { Device } from '../../device/device.ts';
import { cancelled } from '../../errors.ts';
import type { FarContext } from '../../kv/tiers/farContext.ts';
import type { FarLayer } from '../../kv/tiers/farLayer.ts';
import { emptyReport } from '../../kv/tiers/farReport.ts';
import { type BoundMerge, bindMerge } from '../attention/merge.ts';
import { bindPart, type BoundPart } from '../attention/partial.ts';
import { tileQueries } from '../attention/tiled.ts';
import type { BoundChoice } from '../sparseReading/blockChoice.ts';
import { blockTokens } from '../sparseReading/sparseReading.ts';
import type { ChunkPart, ChunkRun, RowBlock } from '../part.ts';
import type { Step } from '../step.ts';

/** Workgroups that keep an adapter's cores busy; a few rows are split along the keys to have as many. */
const busyWorkgroups = { gpu: 256, software: 8 };
const maxSplits = 8;

export interface FarReadingBuffers {
  /** [rows of a block][heads·headDim] f32: the projected queries, and the result. */
  queries: GPUBuffer;
  mixed: GPUBuffer;
}

export class FarReading implements ChunkPart {
  readonly #device: Device;
  readonly #context: FarContext;
  readonly #layer: FarLayer;
  readonly #io: FarReadingBuffers;
  readonly #near: BoundPart;
  /** For each stage. */
  readonly #streamed: readonly BoundPart[];
  readonly #merge: BoundMerge;
  /** For sparse reading; null where everything is attended to. */
  readonly #choice: BoundChoice | null;

  private constructor(device: Device, context: FarContext, layer: FarLayer, io: FarReadingBuffers, bound: { near: BoundPart; streamed: BoundPart[]; merge: BoundMerge; choice: BoundChoice | null }) {
    this.#device = device;
    this.#context = context;
    this.#layer = layer;
    this.#io = io;
    this.#near = bound.near;
    this.#streamed = bound.streamed;
    this.#merge = bound.merge;
    this.#choice = bound.choice;
  }

  static async create(device: Device, context: FarContext, layer: FarLayer, io: FarReadingBuffers): Promise<FarReading> {
    const { layout, format, ringSlots, stageTokens } = context.plan;
    const { heads, kvHeads, headDim } = layout;
    const { ring } = layer.memory;
    const { chunk, stages } = context.scratch;
    const common = { queries: chunk.queries, heads, kvHeads, headDim, partials: chunk.partials, step: chunk.step.buffer };
    return new FarReading(device, context, layer, io, {
      near: await bindPart(device, { kind: 'ring', format: 'f16' }, { ...common, keys: ring.keys, values: ring.values, capacitySlots: ringSlots }, { many: true }),
      streamed: await Promise.all(stages.map((stage) => bindPart(device, { kind: 'range', format }, { ...common, ...stage, capacitySlots: stageTokens }, { many: true }))),
      merge: await bindMerge(device, { partials: chunk.partials, output: io.mixed, headDim }),
      choice: context.reading && layer.memory.keyMeans ? await context.reading.bind(chunk.queries, layer.memory.keyMeans) : null,
    });
  }

  collect(encoder: GPUCommandEncoder, { first, rows }: RowBlock): void {
    encoder.copyBufferToBuffer(this.#io.queries, 0, this.#context.scratch.chunk.queries, first * this.#rowBytes, rows * this.#rowBytes);
  }

  distribute(encoder: GPUCommandEncoder, { first, rows }: RowBlock, chunk: Step): void {
    // Merged splits are there already.
    if (this.#splits(chunk) > 1) return;
    encoder.copyBufferToBuffer(this.#context.scratch.chunk.partials.outputs, first * this.#rowBytes, this.#io.mixed, 0, rows * this.#rowBytes);
  }

  async attend(chunk: Step, { submissions, signal }: ChunkRun): Promise<void> {
    const { sealed, windows, pace } = this.#context;
    await this.#context.graphs?.reader.sample(this.#layer.index, this.#context.scratch.chunk.queries, chunk);
    const splits = this.#splits(chunk);
    const firstFar = splits > 1 ? splits : 0;
    const choosing = this.#choose(chunk);
    // Whoever waits for it hears of a failure.
    choosing.catch(() => undefined);
    this.#near.write({ keys: 0, firstSplit: 0, continued: false });
    await submissions.submit(this.#encode((pass) => this.#near.encode(pass, chunk, splits)));
    const chosen = await choosing;
    if (chosen) this.#context.beginChosen(this.#layer.index, chunk.rows, chosen);
    const farTokens = chosen ? chosen[0].length * blockTokens : sealed;
    let doneMs = performance.now();
    for (let first = 0, window = 0; first < farTokens; window++) {
      if (signal?.aborted) throw cancelled();
      const { tokens, stage, encode, submitted } = await windows.next();
      const streamed = this.#streamed[stage];
      streamed.write({ keys: tokens, firstSplit: firstFar, continued: first > 0 || firstFar === 0 });
      await submissions.submit(this.#encode((pass) => streamed.encode(pass, chunk, splits), encode), submitted);
      first += tokens;
      const nowMs = performance.now();
      // By now what comes back is the time of whole windows.
      if (window >= 2 * submissions.ahead) pace.note(chunk.rows, tokens, nowMs - doneMs);
      doneMs = nowMs;
    }
    if (splits > 1) {
      const { heads } = this.#context.plan.layout;
      await submissions.submit(this.#encode((pass) => this.#merge.encode(pass, sealed > 0 ? 2 * splits : splits, chunk.rows * heads)));
    }
    if (!chunk.exact) this.#report();
  }

  /** The blocks that the chunk attends to, for each key-value head; null for all of them. */
  async #choose(chunk: Step): Promise<Uint32Array[] | null> {
    const { reading, sealed } = this.#context;
    if (!reading || !this.#choice || !this.#context.readsSparsely(chunk)) return null;
    return reading.choose(this.#choice, chunk, reading.sharesOf(chunk, sealed));
  }

  get #rowBytes(): number {
    const { heads, headDim } = this.#context.plan.layout;
    return 4 * heads * headDim;
  }

  /** Along the keys of the ring, and of each window. One keeps everything in place; more are merged at the end. */
  #splits({ rows }: Step): number {
    const { layout, maxRows } = this.#context.plan;
    if (rows > maxRows) return 1;
    const { heads, kvHeads } = layout;
    const workgroups = Math.ceil((rows * heads) / kvHeads / tileQueries) * kvHeads;
    const room = Math.floor(this.#context.scratch.chunk.vectors / (2 * rows * heads));
    return Math.max(1, Math.min(maxSplits, room, Math.floor(busyWorkgroups[this.#device.facts.kind] / workgroups)));
  }

  #encode(compute: (pass: GPUComputePassEncoder) => void, before?: (encoder: GPUCommandEncoder) => void): GPUCommandEncoder {
    const encoder = this.#device.gpu.createCommandEncoder();
    before?.(encoder);
    const pass = encoder.beginComputePass({ label: `far layer ${this.#layer.index}` });
    compute(pass);
    pass.end();
    return encoder;
  }

  /** Decoding by the policy `full`. */
  #report(): void {
    const farKeys = this.#context.sealed * this.#context.plan.layout.kvHeads;
    this.#context.report.add(this.#layer.index, { ...emptyReport(), farKeys, exactKeys: farKeys, fetchedKeys: farKeys });
  }
}
