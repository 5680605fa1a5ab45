/** The kernels of an inspection over one range of a layer's keys. Bindings are made for each use: it is not in a hurry. */
import joinText from '../../shaders/inspect_join.wgsl';
import rowsText from '../../shaders/inspect_rows.wgsl';
import logSumsText from '../../shaders/inspect_log_sums.wgsl';
import rangeText from '../../shaders/inspect_range.wgsl';
import tileText from '../../shaders/inspect_tile.wgsl';
import loadText from '../../shaders/kv_load.wgsl';
import eightBitText from '../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../device/device.ts';
import { type Dispatch, encodeDispatch, type Kernel } from '../device/kernel.ts';
import type { ShaderConstants } from '../device/shader.ts';
import { packUniforms } from '../device/uniforms.ts';
import { eightBitRecordWords, sinkTokens } from '../retrieval/layout.ts';

/** Keys of the positions [firstKey, endKey), wherever they lie. */
export interface KeyRange {
  keys: GPUBuffer;
  format: 'f32' | 'f16' | 'q8';
  /** Key p of a KV head lies in slot (p − slotOrigin) % capacitySlots. */
  capacitySlots: number;
  slotOrigin: number;
  firstKey: number;
  endKey: number;
}

/** The rows that are looked at, in one layer. */
export interface LayerRows {
  /** [rows][heads·headDim] f32, scaled. */
  queries: GPUBuffer;
  /** [rows][heads] f32. */
  logSums: GPUBuffer;
  heads: number;
  kvHeads: number;
  headDim: number;
  window: number | null;
  rows: number;
  /** Of the first row. */
  position: number;
}

/** Buckets of rows (counted from the first) and of keys. The last of each may be short. */
export interface TileShape {
  firstRow: number;
  endRow: number;
  rowsPerBucket: number;
  fromKey: number;
  toKey: number;
  keysPerBucket: number;
}

/** [buckets of rows][columns]: what a tile is gathered in. */
export interface TileBuffers {
  sums: GPUBuffer;
  peaks: GPUBuffer;
  peakKeys: GPUBuffer;
}

/** Tokens before a row, itself included, that count as recent. */
export const recentTokens = 64;
/** Numbers of a row and head that `rows` writes. */
export const statisticsFloats = 8;

/** A GPU is busy with so many workgroups: keys are divided where the rows make fewer. One that computes on the processor is with few. */
const busyWorkgroups = { gpu: 4096, software: 1 };
/** Fewer keys than these are not worth a workgroup and its joining. */
const fewestKeys = 512;
/** Columns of at most so many keys are given to one invocation each. */
const narrowKeys = 16;
/** Where the processor computes, also wider ones where there are so many: invocations without keys cost what others do. */
const fewestNarrowColumns = 32;
/** The most workgroups that every adapter allows in one direction. */
export const mostColumns = 65_535;

export function columnsOf({ fromKey, toKey, keysPerBucket }: TileShape): number {
  return Math.ceil((toKey - fromKey) / keysPerBucket);
}

export function bucketsOf({ firstRow, endRow, rowsPerBucket }: TileShape): number {
  return Math.ceil((endRow - firstRow) / rowsPerBucket);
}

/** Chosen heads of the key-value head that has most of them. */
function mostOfGroup(layer: LayerRows, heads: readonly number[]): number {
  const counts = Array.from({ length: layer.kvHeads }, (_, kvHead) => heads.filter((head) => Math.floor(head / groupOf(layer)) === kvHead).length);
  return Math.max(...counts);
}

const zoneConstants = { SINK_TOKENS: sinkTokens, RECENT_TOKENS: recentTokens };

/**
 * Keys that an invocation has in hand at once: what it loads of queries serves all of them. Where the processor computes four
 * are up to five times as fast as one; on GPUs only one has been measured (bench/kernels/inspect.ts tries others).
 */
const keysAtOnce = { gpu: 1, software: 4 };

/** Workgroups that rows of so many heads make for each key-value head. */
function tilesOf({ rows }: LayerRows, headsOfGroup: number): number {
  return Math.ceil((rows * headsOfGroup) / 4);
}

function groupOf({ heads, kvHeads }: LayerRows): number {
  return heads / kvHeads;
}

export class RangeKernels {
  readonly #device: Device;
  readonly #busyWorkgroups: number;
  readonly #fewestKeys: number;
  readonly #keysAtOnce: number;
  /** Until their submissions have run. */
  readonly #transient: GPUBuffer[] = [];

  constructor(device: Device, options: { busyWorkgroups?: number; fewestKeys?: number; keysAtOnce?: number } = {}) {
    this.#device = device;
    this.#busyWorkgroups = options.busyWorkgroups ?? busyWorkgroups[device.facts.kind];
    this.#fewestKeys = options.fewestKeys ?? fewestKeys;
    this.#keysAtOnce = options.keysAtOnce ?? keysAtOnce[device.facts.kind];
  }

  /** Begins to compile what ranges of such keys need, all at once: else the first look waits for one after the other. */
  prepare(read: Pick<LayerRows, 'headDim'> & Pick<KeyRange, 'format'>): void {
    const split = this.#busyWorkgroups > 1;
    const kernels = [
      this.#kernel('inspect_log_sums', logSumsText, read, { KEYS: this.#keysAtOnce, SPLIT: split }),
      this.#kernel('inspect_rows', rowsText, read, { ...zoneConstants, KEYS: this.#keysAtOnce, SPLIT: split }),
      ...(this.#device.facts.kind === 'gpu' ? [false, true] : [true]).flatMap((narrow) => [...new Set([1, this.#keysAtOnce])].map((KEYS) => this.#kernel('inspect_tile', tileText, read, { KEYS, NARROW: narrow }))),
      ...(split ? [this.#joining(false), this.#joining(true)] : []),
    ];
    // Whoever uses them hears of a failure.
    for (const kernel of kernels) kernel.catch(() => undefined);
  }

  /** Joins a range to the rows' log-sum-exps of the chosen heads; of others they are anything then. */
  async logSums(layer: LayerRows, range: KeyRange, heads: readonly number[]): Promise<(pass: GPUComputePassEncoder) => void> {
    const most = mostOfGroup(layer, heads);
    const splits = this.#splits(layer, range, most);
    const kernel = await this.#kernel('inspect_log_sums', logSumsText, { ...layer, ...range }, { KEYS: this.#keysAtOnce, SPLIT: splits > 1 });
    const numbers = this.#numbers(layer, range, null);
    const chosen = this.#chosen(layer, heads);
    return this.#joined(layer, { headsOfGroup: most, splits, target: layer.logSums, floats: 1, bind: (out) => ({ kernel, bindings: kernel.bind(numbers, layer.queries, range.keys, chosen, out) }) });
  }

  /** Adds a range to the rows' statistics, [rows][heads][statisticsFloats] f32 (shaders/inspect_rows.wgsl). */
  async rows(layer: LayerRows, range: KeyRange, document: { fromKey: number; toKey: number }, statistics: GPUBuffer): Promise<(pass: GPUComputePassEncoder) => void> {
    const headsOfGroup = groupOf(layer);
    const splits = this.#splits(layer, range, headsOfGroup);
    const kernel = await this.#kernel('inspect_rows', rowsText, { ...layer, ...range }, { ...zoneConstants, KEYS: this.#keysAtOnce, SPLIT: splits > 1 });
    const shape = { ...document, firstRow: 0, endRow: layer.rows, rowsPerBucket: 1, keysPerBucket: 1 };
    const numbers = this.#numbers(layer, range, shape);
    return this.#joined(layer, { headsOfGroup, splits, target: statistics, floats: statisticsFloats, bind: (out) => ({ kernel, bindings: kernel.bind(numbers, layer.queries, range.keys, layer.logSums, out) }) });
  }

  /** Adds a range's weights of the chosen heads to a tile. */
  async tile(layer: LayerRows, range: KeyRange, heads: readonly number[], shape: TileShape, out: TileBuffers): Promise<(pass: GPUComputePassEncoder) => void> {
    const { keysPerBucket } = shape;
    const columns = columnsOf(shape);
    const narrow = keysPerBucket <= narrowKeys || (this.#device.facts.kind === 'software' && columns >= fewestNarrowColumns);
    const keysOfInvocation = narrow ? keysPerBucket : keysPerBucket / 64;
    const KEYS = keysOfInvocation >= this.#keysAtOnce ? this.#keysAtOnce : 1;
    const kernel = await this.#kernel('inspect_tile', tileText, { ...layer, ...range }, { KEYS, NARROW: narrow });
    const numbers = this.#numbers(layer, range, shape);
    const bindings = kernel.bind(numbers, layer.queries, range.keys, layer.logSums, this.#chosen(layer, heads), out.sums, out.peaks, out.peakKeys);
    return (pass) => encodeDispatch(pass, { kernel, bindings }, narrow ? Math.ceil(columns / 64) : columns, bucketsOf(shape));
  }

  /** Of what is kept until `release`. */
  get heldBytes(): number {
    return this.#transient.reduce((sum, { size }) => sum + size, 0);
  }

  /** To be called when what was encoded has run. */
  release(): void {
    for (const buffer of this.#transient.splice(0)) this.#device.memory.free(buffer);
  }

  /** Into how many runs the keys are divided. */
  #splits(layer: LayerRows, { firstKey, endKey }: KeyRange, headsOfGroup: number): number {
    const workgroups = tilesOf(layer, headsOfGroup) * layer.kvHeads;
    return Math.max(1, Math.min(Math.ceil(this.#busyWorkgroups / workgroups), Math.floor((endKey - firstKey) / this.#fewestKeys)));
  }

  /** A kernel that writes `floats` for each row and head: straight to `target`, or for each run, which are joined then. */
  async #joined(layer: LayerRows, { headsOfGroup, splits, target, floats, bind }: { headsOfGroup: number; splits: number; target: GPUBuffer; floats: number; bind: (out: GPUBuffer) => Dispatch }): Promise<(pass: GPUComputePassEncoder) => void> {
    const tiles = tilesOf(layer, headsOfGroup);
    if (splits === 1) {
      const dispatch = bind(target);
      return (pass) => encodeDispatch(pass, dispatch, tiles, layer.kvHeads);
    }
    const vectors = layer.rows * layer.heads;
    const parts = this.#device.memory.storage('activations', 'inspected runs', 4 * floats * vectors * splits);
    this.#transient.push(parts);
    const join = await this.#joining(floats > 1);
    const dispatch = bind(parts);
    const joining = { kernel: join, bindings: join.bind(this.#uniform('joined runs', [splits, vectors]), parts, target) };
    return (pass) => {
      encodeDispatch(pass, dispatch, tiles, layer.kvHeads, splits);
      encodeDispatch(pass, joining, Math.ceil(vectors / 64));
    };
  }

  #joining(isStatistics: boolean): Promise<Kernel> {
    return this.#device.kernels.get({ label: 'inspect_join', texts: [joinText], constants: { STATISTICS: isStatistics } });
  }

  #kernel(label: string, text: string, { headDim, format }: Pick<LayerRows, 'headDim'> & Pick<KeyRange, 'format'>, constants: ShaderConstants): Promise<Kernel> {
    const eightBit = format === 'q8';
    return this.#device.kernels.get({
      label,
      texts: [eightBit ? eightBitText : loadText, rangeText, text],
      constants: {
        ...constants,
        HALF_CACHE: format === 'f16',
        EIGHT_BIT: eightBit,
        WIDE: false,
        BY_BITS: false,
        UNITS: headDim / 4,
        VECTOR_UNITS: eightBit ? eightBitRecordWords(headDim) : headDim / 4,
      },
    });
  }

  #numbers(layer: LayerRows, range: KeyRange, shape: TileShape | null): GPUBuffer {
    const { rows, position, heads, kvHeads, window } = layer;
    const { capacitySlots, slotOrigin, firstKey, endKey } = range;
    const tile = shape ? [shape.firstRow, shape.endRow, shape.rowsPerBucket, shape.fromKey, shape.toKey, shape.keysPerBucket, columnsOf(shape)] : [0, 0, 1, 0, 0, 1, 0];
    return this.#uniform('inspected range', [rows, position, heads, kvHeads, capacitySlots, slotOrigin, firstKey, endKey, window ?? 0, ...tile]);
  }

  /** Until what was encoded has run. */
  #uniform(label: string, numbers: readonly number[]): GPUBuffer {
    const bytes = packUniforms(numbers);
    const buffer = this.#device.memory.allocate('activations', label, bytes.byteLength, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
    this.#device.gpu.queue.writeBuffer(buffer, 0, bytes);
    this.#transient.push(buffer);
    return buffer;
  }

  #chosen({ heads, kvHeads }: LayerRows, chosen: readonly number[]): GPUBuffer {
    const group = heads / kvHeads;
    const words = new Uint32Array(kvHeads + kvHeads * heads);
    for (const head of chosen) {
      const kvHead = Math.floor(head / group);
      words[kvHeads + kvHead * heads + words[kvHead]++] = head;
    }
    const buffer = this.#device.memory.storage('activations', 'chosen heads', words.byteLength);
    this.#device.gpu.queue.writeBuffer(buffer, 0, words);
    this.#transient.push(buffer);
    return buffer;
  }
}
