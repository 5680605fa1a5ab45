/**
 * Looks inside: the queries of some rows are computed again and kept, and any part of their attention is made from them
 * and the stored keys, in tiles. Weights are exact, whatever policy an answer was decoded with.
 */
import { isPlainAttention } from '../models/spec.ts';
import type { Device } from '../device/device.ts';
import type { Readback } from '../device/readback.ts';
import { cancelled, EngineError } from '../errors.ts';
import type { Runner } from '../runner.ts';
import type { Sequence } from '../sequence.ts';
import { forEachRange, keysRead, type UseRange } from './keyRanges.ts';
import { bucketsOf, columnsOf, type LayerRows, mostColumns, RangeKernels, statisticsFloats, type TileBuffers, type TileShape } from './rangeKernels.ts';
import { nextLogprobs } from './nextLogprobs.ts';
import { tokenLogprobsKernel } from './tokenLogprobs.ts';

export interface InspectedHead {
  layer: number;
  head: number;
}

export interface AttentionTile {
  /** Buckets of rows, and of keys. */
  rows: number;
  columns: number;
  /** [rows][columns]: weights summed over rows, heads and keys; all keys of a row add up to the number of heads. */
  sums: Float32Array<ArrayBuffer>;
  /** The largest single weight, and the position of its key. */
  peaks: Float32Array<ArrayBuffer>;
  peakKeys: Uint32Array<ArrayBuffer>;
}

export interface InspectionParts {
  device: Device;
  runner: Runner;
  sequence: Sequence;
  readback: Readback;
}

export interface InspectionRows {
  tokens: readonly number[];
  /** The first row that is looked at; the last is that of the last token but one: what it says is the last token. */
  firstRow: number;
  /** Log-probabilities cost the logits of every row; they are computed unless this is false. */
  withLogprobs?: boolean;
  /** Rows attend as decoding does, by the policy of the far layers. */
  asDecoding?: boolean;
  /** Left out, all of them can be looked at. */
  heads?: readonly InspectedHead[];
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Begins to compile what looking inside needs, all at once: else the first look waits for one kernel after the other. */
export function prepareInspection(device: Device, runner: Runner): RangeKernels {
  const kernels = new RangeKernels(device);
  for (const read of keysRead(runner)) kernels.prepare(read);
  runner.tap.prepare();
  // Whoever uses it hears of a failure.
  tokenLogprobsKernel(device).catch(() => undefined);
  return kernels;
}

/** What kernels that are under way may hold for themselves before they are waited for. */
const mostHeldBytes = 64 * 2 ** 20;
/** What the queries of the rows may take on the GPU. */
const keptQueryBytes = 256 * 2 ** 20;

export class Inspection {
  readonly firstRow: number;
  readonly rows: number;
  /** Log-probability of the token after each row, in nats. */
  readonly logprobs: readonly number[];
  readonly #parts: InspectionParts;
  readonly #kernels: RangeKernels;
  /** By block; null for a layer that keeps a state and attends to nothing. */
  readonly #layers: readonly (LayerRows | null)[];
  /** That can be looked at, by layer. */
  readonly #heads: ReadonlyMap<number, readonly number[]>;
  #freed = false;

  private constructor(parts: InspectionParts, kernels: RangeKernels, rows: { firstRow: number; rows: number; logprobs: number[] }, layers: readonly (LayerRows | null)[], heads: ReadonlyMap<number, readonly number[]>) {
    this.#parts = parts;
    this.#kernels = kernels;
    this.firstRow = rows.firstRow;
    this.rows = rows.rows;
    this.logprobs = rows.logprobs;
    this.#layers = layers;
    this.#heads = heads;
  }

  /** How many rows can be looked at at once. */
  static mostRows(runner: Runner): number {
    return Math.max(1, Math.floor(keptQueryBytes / runner.tap.rowBytes));
  }

  /**
   * Computes the rows again: the sequence then is `tokens` without the last one. Valid until the sequence changes or
   * another inspection is opened. Throws `cancelled`, `context-exceeded`, and `internal` for more rows than can be kept.
   */
  static async open(parts: InspectionParts, { tokens, firstRow, withLogprobs = true, asDecoding, heads, signal, onProgress }: InspectionRows): Promise<Inspection> {
    const { device, runner, sequence } = parts;
    const rows = tokens.length - 1 - firstRow;
    if (rows < 1 || rows > Inspection.mostRows(runner)) {
      throw new EngineError('internal', `${rows} rows cannot be looked at at once, only ${Inspection.mostRows(runner)}.`, 'Look at a shorter answer.');
    }
    const kernels = prepareInspection(device, runner);
    // Cuts the sequence back to where the rows begin.
    if (firstRow > 0) await sequence.extend(tokens.slice(0, firstRow), { signal, onProgress });
    else sequence.clear();
    await runner.tap.open({ firstPosition: firstRow, rows });
    const logprobs: number[] = [];
    let inspection: Inspection | null = null;
    try {
      await sequence.extend(tokens.slice(0, -1), {
        signal,
        asDecoding,
        onChunk: async (first, count) => {
          if (withLogprobs) logprobs.push(...(await nextLogprobs(parts, tokens.slice(first + 1, first + 1 + count), signal)));
        },
      });
      runner.tap.stop();
      const chosen = heads ? headsByLayer(heads) : allHeads(runner);
      inspection = new Inspection(parts, kernels, { firstRow, rows, logprobs: logprobs.slice(-rows) }, await layersOf(device, runner, firstRow, rows), chosen);
      await inspection.#computeLogSums(signal);
      return inspection;
    } catch (error) {
      if (inspection) inspection.free();
      else runner.tap.close();
      throw error;
    }
  }

  /** Positions that a row can see. */
  get keys(): number {
    return this.firstRow + this.rows;
  }

  /** A tile of the chosen heads together. Throws `cancelled` between two layers. */
  async tile(heads: readonly InspectedHead[], shape: TileShape, signal?: AbortSignal): Promise<AttentionTile> {
    this.#assertOpen();
    const columns = columnsOf(shape);
    const rows = bucketsOf(shape);
    if (columns > mostColumns || rows > mostColumns) throw new RangeError(`a tile of ${rows} × ${columns} cells is too large`);
    const { device, readback } = this.#parts;
    const storage = (label: string): GPUBuffer => device.memory.storage('activations', `tile ${label}`, 4 * rows * columns);
    const out: TileBuffers = await device.memory.checked('A tile of attention', () => ({ sums: storage('sums'), peaks: storage('peaks'), peakKeys: storage('peak keys') }));
    try {
      for (const [layer, chosen] of headsByLayer(heads)) {
        if (signal?.aborted) throw cancelled();
        const seen = this.#layers[layer];
        if (!seen) throw new EngineError('internal', `Layer ${layer} keeps a state and attends to no keys.`, 'Look at another layer.');
        this.#assertChosen(layer, chosen);
        await this.#ranges(layer, (range) => this.#kernels.tile(seen, range, chosen, shape, out));
        await this.#afterLayer();
      }
      await this.#settled();
      const cells = rows * columns;
      const [sums, peaks, peakKeys] = [await readback.floats(out.sums, 0, cells), await readback.floats(out.peaks, 0, cells), await readback.words(out.peakKeys, 0, cells)];
      return { rows, columns, sums, peaks, peakKeys };
    } finally {
      for (const buffer of Object.values(out)) device.memory.free(buffer);
    }
  }

  /**
   * Where the weight of each row goes, by layer, for every head: [rows][heads][statisticsFloats], see
   * shaders/inspect_rows.wgsl; nothing of a layer that attends to no keys. `document`: the positions of the text that
   * matters. Throws `cancelled` between two layers.
   */
  async rowStatistics(document: { fromKey: number; toKey: number }, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    this.#assertOpen();
    const { device, readback } = this.#parts;
    const counts = this.#layers.map((layer) => (layer ? this.rows * layer.heads * statisticsFloats : 0));
    const all = await device.memory.checked('Room for what the rows look at', () => counts.map((count) => (count > 0 ? device.memory.storage('activations', 'row statistics', 4 * count) : null)));
    try {
      for (const [index, layer] of this.#layers.entries()) {
        if (signal?.aborted) throw cancelled();
        const statistics = all[index];
        if (!layer || !statistics) continue;
        this.#assertChosen(index, Array.from({ length: layer.heads }, (_, head) => head));
        await this.#ranges(index, (range) => this.#kernels.rows(layer, range, document, statistics));
        await this.#afterLayer();
      }
      await this.#settled();
      const read: Float32Array<ArrayBuffer>[] = [];
      for (const [index, statistics] of all.entries()) read.push(statistics ? await readback.floats(statistics, 0, counts[index]) : new Float32Array(0));
      return read;
    } finally {
      for (const statistics of all) if (statistics) device.memory.free(statistics);
    }
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    const { device, runner } = this.#parts;
    for (const layer of this.#layers) if (layer) device.memory.free(layer.logSums);
    this.#kernels.release();
    runner.tap.close();
  }

  async #computeLogSums(signal: AbortSignal | undefined): Promise<void> {
    for (const [index, layer] of this.#layers.entries()) {
      if (signal?.aborted) throw cancelled();
      const heads = this.#heads.get(index);
      if (!layer || !heads) continue;
      await this.#ranges(index, (range) => this.#kernels.logSums(layer, range, heads));
      await this.#afterLayer();
    }
    await this.#settled();
  }

  /** A GPU goes on from layer to layer by itself; where the processor computes or keys are streamed, whoever stops does not wait for the rest. */
  async #afterLayer(): Promise<void> {
    const { device, runner } = this.#parts;
    if (device.facts.kind === 'software' || runner.far || this.#kernels.heldBytes > mostHeldBytes) await this.#settled();
  }

  async #settled(): Promise<void> {
    await this.#parts.device.finished();
    this.#kernels.release();
  }

  #ranges(layer: number, use: UseRange): Promise<void> {
    const { device, runner } = this.#parts;
    return forEachRange(device, runner, layer, { position: this.firstRow, endKey: this.keys }, use);
  }

  #assertChosen(layer: number, heads: readonly number[]): void {
    const foreign = heads.find((head) => !this.#heads.get(layer)?.includes(head));
    if (foreign !== undefined) throw new RangeError(`head ${foreign} of layer ${layer} was not among those that were to be looked at`);
  }

  #assertOpen(): void {
    if (this.#freed) throw new EngineError('internal', 'The inspection was closed.', 'Open it again.');
  }
}

async function layersOf(device: Device, runner: Runner, position: number, rows: number): Promise<(LayerRows | null)[]> {
  let attending = 0;
  return device.memory.checked('Room for the sums of the rows', () =>
    runner.spec.blocks.map(({ mixer }) => {
      if (!isPlainAttention(mixer)) return null;
      const { heads, kvHeads, headDim, windowTokens } = mixer;
      const logSums = device.memory.storage('activations', 'row log sums', 4 * rows * heads);
      device.gpu.queue.writeBuffer(logSums, 0, new Float32Array(rows * heads).fill(-1e30));
      return { queries: runner.tap.kept(attending++), logSums, heads, kvHeads, headDim, window: windowTokens, rows, position };
    }),
  );
}

function allHeads({ spec }: Runner): Map<number, number[]> {
  return new Map(spec.blocks.map(({ mixer }, layer) => [layer, Array.from({ length: isPlainAttention(mixer) ? mixer.heads : 0 }, (_, head) => head)]));
}

function headsByLayer(heads: readonly InspectedHead[]): Map<number, number[]> {
  const byLayer = new Map<number, number[]>();
  for (const { layer, head } of heads) byLayer.set(layer, [...(byLayer.get(layer) ?? []), head]);
  return byLayer;
}
