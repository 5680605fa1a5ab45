/**
 * Sparse reading of a layer whose keys and values are all on the GPU. The rows of a step are taken in blocks: for each the
 * blocks of keys are chosen and copied one behind the other, then the kernels that read parts of a layer's keys
 * attend to what lies just before the rows, causally, and to the copy, and the parts are merged.
 */
import gatherText from '../../../shaders/block_gather.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { KvCache } from '../../kv/cache.ts';
import { type KvLayout, kvBytesPerValue } from '../attention/layout.ts';
import { allocatePartials, bindMerge, type Partials } from '../attention/merge.ts';
import { bindPart } from '../attention/partial.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { Step } from '../step.ts';
import { bindBlockChoice, ChoiceNumbers, ChoiceScratch, type HeadShape } from './blockChoice.ts';
import { allocateKeyMeans, bindKeyMeans } from './keyMeans.ts';
import { type BlockShares, blockShares, blockTokens, mostBlocks, ReadingTally, recentTokens, type SparseReading } from './sparseReading.ts';

/** Rows that choose together. */
export const rowsAtOnce = 128;
/** Workgroups along the keys, so that few rows keep an adapter busy. */
const splits = { gpu: { near: 1, chosen: 8 }, software: { near: 1, chosen: 1 } };

/** A block of a step's rows, and which blocks of keys it chooses among. */
interface RowsOfStep {
  first: number;
  rows: number;
  position: number;
  /** The first key that is certainly seen. */
  nearFrom: number;
  shares: BlockShares;
}

/** What the layers of a model share: they work one after the other. */
export class ResidentReading {
  readonly setting: SparseReading;
  readonly tally = new ReadingTally();
  readonly scratch: ChoiceScratch;
  readonly partials: Partials;
  /** Copies of chosen blocks, [kvHead][gatheredSlots][headDim] in the cache's format. */
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly gatheredSlots: number;
  /** For each block of rows: its step, and the numbers of its choice. */
  readonly blocks: readonly { step: GPUBuffer; numbers: ChoiceNumbers }[];
  readonly maxRows: number;
  readonly contextTokens: number;
  /** Layers that read so; the first of them writes a step's numbers, which are the same in all. */
  layers = 0;
  readonly #device: Device;

  constructor(device: Device, setting: SparseReading, shape: HeadShape & { format: KvLayout['format'] }, { contextTokens, maxRows }: { contextTokens: number; maxRows: number }) {
    const { heads, kvHeads, headDim, format } = shape;
    const { near, chosen } = splits[device.facts.kind];
    const rows = Math.min(rowsAtOnce, maxRows);
    this.#device = device;
    this.setting = setting;
    this.maxRows = maxRows;
    this.contextTokens = contextTokens;
    this.scratch = new ChoiceScratch(device, shape, { contextTokens, maxRows: rows });
    this.partials = allocatePartials(device, near + chosen, rows * heads, headDim);
    this.gatheredSlots = blockTokens * Math.min(this.scratch.blocks, mostBlocks(setting, contextTokens));
    const gathered = (kind: string): GPUBuffer => device.memory.storage('kv', `chosen ${kind}`, kvHeads * this.gatheredSlots * headDim * kvBytesPerValue(format));
    this.keys = gathered('keys');
    this.values = gathered('values');
    this.blocks = Array.from({ length: Math.ceil(maxRows / rowsAtOnce) }, () => ({
      step: device.memory.allocate('activations', 'step of a block of rows', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */),
      numbers: new ChoiceNumbers(device),
    }));
  }

  /** A step's rows in blocks, at multiples of their size in the step. */
  rowsOf({ rows, position, removed = 0 }: Step): RowsOfStep[] {
    return Array.from({ length: Math.ceil(rows / rowsAtOnce) }, (_, number) => {
      const first = number * rowsAtOnce;
      const at = position - removed + first;
      const blocks = Math.floor(Math.max(0, at - recentTokens) / blockTokens);
      return { first, rows: Math.min(rowsAtOnce, rows - first), position: at, nearFrom: blocks * blockTokens, shares: blockShares(this.setting, at, blocks) };
    });
  }

  /** Writes a step's numbers, and counts them. */
  write(rows: readonly RowsOfStep[]): void {
    for (const [number, one] of rows.entries()) {
      const { step, numbers } = this.blocks[number];
      this.#device.gpu.queue.writeBuffer(step, 0, packUniforms([one.rows, one.position, one.nearFrom]));
      numbers.write(one.rows, one.shares);
      this.tally.note(one.rows, one.shares);
    }
  }

  free(): void {
    for (const buffer of [...Object.values(this.partials), this.keys, this.values, ...this.blocks.map(({ step }) => step)]) this.#device.memory.free(buffer);
    for (const { numbers } of this.blocks) numbers.free();
    this.scratch.free();
  }
}

export interface ResidentReadingBuffers extends HeadShape {
  /** [rows][heads·headDim] f32, scaled, and the result. */
  queries: GPUBuffer;
  output: GPUBuffer;
  cache: KvCache;
}

/** Attends as `step.sparse` asks; every other step of the layer must be noted with the progress of the cache's means. */
export async function bindResidentReading(device: Device, context: ResidentReading, io: ResidentReadingBuffers): Promise<Bound & { free(): void }> {
  const { heads, kvHeads, headDim, cache } = io;
  const { layout } = cache;
  const isFirst = context.layers++ === 0;
  const { scratch, partials, keys, values, gatheredSlots } = context;
  const { near: nearSplits, chosen: chosenSplits } = splits[device.facts.kind];
  const means = allocateKeyMeans(device, layout, context.contextTokens, 'layer');
  const means16 = await bindKeyMeans(device, { layout, keys: cache.keys, means, contextTokens: context.contextTokens });
  const units = (headDim * kvBytesPerValue(layout.format)) / 16;
  const gathering = await device.kernels.get({ label: 'block_gather', texts: [gatherText] });
  const shape = sharedUniform(device, 'gather shape', [layout.capacitySlots, gatheredSlots, scratch.blocks, units]);
  const gather = { kernel: gathering, bindings: gathering.bind(shape, scratch.list, cache.keys, cache.values, keys, values) };
  const rowBytes = 4 * heads * headDim;
  const blocks = await Promise.all(
    context.blocks.map(async ({ step, numbers }, number) => {
      const begin = number * rowsAtOnce;
      const part = { offset: begin * rowBytes, size: Math.min(rowsAtOnce, context.maxRows - begin) * rowBytes };
      const queries = { buffer: io.queries, ...part };
      const common = { queries, heads, kvHeads, headDim, partials, step };
      const [choice, near, chosen, merge] = await Promise.all([
        bindBlockChoice(device, { heads, kvHeads, headDim, queries, means, scratch, numbers }),
        bindPart(device, { kind: 'ring', format: layout.format }, { ...common, keys: cache.keys, values: cache.values, capacitySlots: layout.capacitySlots }, { many: true }),
        bindPart(device, { kind: 'range', format: layout.format }, { ...common, keys, values, capacitySlots: gatheredSlots }, { many: true }),
        bindMerge(device, { partials, output: { buffer: io.output, ...part }, headDim }),
      ]);
      return { choice, near, chosen, merge };
    }),
  );
  return {
    encode(pass, step) {
      const rows = context.rowsOf(step);
      const { first, count } = cache.keyMeans.upTo(rows[rows.length - 1].shares.blocks);
      means16.encode(pass, first, count);
      if (isFirst) context.write(rows);
      for (const [number, one] of rows.entries()) {
        const { choice, near, chosen, merge } = blocks[number];
        const { read } = one.shares;
        const now: Step = { rows: one.rows, position: one.position };
        near.write({ keys: 0, firstSplit: 0, continued: false });
        near.encode(pass, now, nearSplits);
        if (read > 0) {
          choice.encode(pass, one.rows, one.shares);
          encodeDispatch(pass, gather, read, kvHeads);
          chosen.write({ keys: read * blockTokens, firstSplit: nearSplits, continued: false });
          chosen.encode(pass, now, chosenSplits);
        }
        merge.encode(pass, read > 0 ? nearSplits + chosenSplits : nearSplits, one.rows * heads);
      }
    },
    free: () => device.memory.free(means),
  };
}
