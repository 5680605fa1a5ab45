/**
 * The far tokens that a key-value head attends to exactly: those of largest weight, summed over the query heads that
 * share it, of a softmax over the scores that a policy wrote. Found by radix selection, without sorting: never more
 * than wanted, and fewer only where there are no more. Of tokens whose distances from the largest possible log-weight
 * differ by less than 2^-17 of it the first ones are taken, so that runs are reproducible.
 */
import countText from '../../shaders/select_count.wgsl';
import findText from '../../shaders/select_find.wgsl';
import followText from '../../shaders/select_follow.wgsl';
import massText from '../../shaders/select_mass.wgsl';
import resolveText from '../../shaders/select_resolve.wgsl';
import sharedText from '../../shaders/select_shared.wgsl';
import statisticsText from '../../shaders/select_statistics.wgsl';
import weighText from '../../shaders/select_weigh.wgsl';
import writeText from '../../shaders/select_write.wgsl';
import sumsText from '../../shaders/workgroup_sums.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch, type Kernel } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import type { FarLayout } from './layout.ts';
import { subgroupSource } from './subgroupSource.ts';

type HeadShape = Pick<FarLayout, 'heads' | 'kvHeads'>;

const buckets = 2048;
const maxSplits = 256;
/** Most workgroups that may leave a head's masses: MAX_MASSES in select_mass.wgsl. */
export const maxMasses = 512;

/** How a selection is spread over the adapter. */
export interface SelectVariant {
  /** Of a workgroup: a power of two from 32 on. */
  invocations: number;
  /** Workgroups of a key-value head at most; not more than 256. */
  mostSplits: number;
  /** A split of fewer entries would cost more to combine than it saves. */
  leastEntriesPerInvocation: number;
  /** Entries that an invocation writes in a round. */
  writtenAtOnce: number;
  /** Sum by subgroups, where their size is known. */
  subgroups: boolean;
}

/**
 * What a split costs to combine does not depend on its entries: wide workgroups make fewer splits, with as many entries an
 * invocation. On a processor they only wait for each other. Every split looks for its bounds anew, which only pays where
 * splits run side by side.
 */
const usualVariants: Record<Device['facts']['kind'], SelectVariant> = {
  gpu: { invocations: 512, mostSplits: maxSplits, leastEntriesPerInvocation: 8, writtenAtOnce: 4, subgroups: true },
  software: { invocations: 128, mostSplits: 8, leastEntriesPerInvocation: 4, writtenAtOnce: 4, subgroups: true },
};

/** The chosen tokens of each key-value head. */
export class Selection {
  /** [kvHead][maxSelected] u32: positions, ascending. */
  readonly tokens: GPUBuffer;
  /** [kvHead] u32. */
  readonly counts: GPUBuffer;
  readonly maxSelected: number;
  readonly #device: Device;

  constructor(device: Device, { kvHeads }: HeadShape, options: { maxSelected: number; label: string }) {
    this.#device = device;
    this.maxSelected = options.maxSelected;
    this.tokens = device.memory.storage('activations', `${options.label} tokens`, kvHeads * options.maxSelected * 4);
    this.counts = device.memory.storage('activations', `${options.label} counts`, kvHeads * 4);
  }

  free(): void {
    for (const buffer of [this.tokens, this.counts]) this.#device.memory.free(buffer);
  }
}

export interface SelectStep {
  /** Entries of each row of scores: the sealed tokens. */
  entries: number;
  /** Tokens to choose for each key-value head; at most the selection's maxSelected. */
  wanted: number;
  /** Which entries bring those behind them along; left out, none. */
  follow?: Follow | null;
}

export interface Follow {
  /** Positions behind an entry that follow it. */
  followers: number;
  /** From which weight on, summed over the heads that share a key, each head's being 1 over all entries. */
  share: number;
}

/** A step's numbers, the same for all layers. */
export class SelectUniform {
  /** `struct Numbers { wanted: u32, followers: u32, followed: f32 }` */
  readonly numbers: GPUBuffer;
  /** [kvHead] u32. */
  readonly entryCounts: GPUBuffer;
  readonly #device: Device;
  readonly #kvHeads: number;

  constructor(device: Device, { kvHeads }: HeadShape) {
    this.#device = device;
    this.#kvHeads = kvHeads;
    this.numbers = device.memory.allocate('activations', 'select numbers', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
    this.entryCounts = device.memory.storage('activations', 'select entry counts', kvHeads * 4);
  }

  /** Queued in order with the submissions around it. */
  write({ entries, wanted, follow }: SelectStep): void {
    this.#device.gpu.queue.writeBuffer(this.numbers, 0, packUniforms([wanted, follow?.followers ?? 0, { float: Math.log(follow?.share ?? 1) }]));
    this.#device.gpu.queue.writeBuffer(this.entryCounts, 0, new Uint32Array(this.#kvHeads).fill(entries));
  }

  free(): void {
    for (const buffer of [this.numbers, this.entryCounts]) this.#device.memory.free(buffer);
  }
}

/** Bytes of a `SelectScratch`; they do not depend on the number of tokens. */
export function selectScratchBytes(shape: HeadShape): number {
  return Object.values(scratchParts(shape)).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * What a selection writes down on its way; shared by all layers of a shape, and by a layer's successive selections, each
 * of which leaves the histograms clear for the next.
 */
export class SelectScratch {
  readonly buffers: Record<keyof ReturnType<typeof scratchParts>, GPUBuffer>;
  readonly #device: Device;

  constructor(device: Device, shape: HeadShape) {
    const bytes = scratchParts(shape);
    const buffer = (name: keyof typeof bytes): GPUBuffer => device.memory.storage('activations', `select ${name}`, bytes[name]);
    this.#device = device;
    this.buffers = {
      masses: buffer('masses'),
      coarse: buffer('coarse'),
      fine: buffer('fine'),
      boundaries: buffer('boundaries'),
      thresholds: buffer('thresholds'),
      splitCounts: buffer('splitCounts'),
    };
  }

  free(): void {
    for (const buffer of Object.values(this.buffers)) this.#device.memory.free(buffer);
  }
}

export interface SelectBuffers extends HeadShape {
  /**
   * [head][stride] f32: logits; -1e30 excludes an entry. Afterwards the row of a group's first head holds the
   * combined log-weights.
   */
  scores: GPUBuffer;
  /** Entries that a row has room for. */
  stride: number;
  uniform: SelectUniform;
  scratch: SelectScratch;
  selection: Selection;
  /** The entries are those of this list, of which `counts` are in use; without it, entry = position. */
  list?: Selection;
  /** Whether the kernel that writes the scores leaves their masses in the scratch too, so that no pass over them is needed. */
  hasMasses?: boolean;
  /** Other than what suits the adapter. */
  variant?: Partial<SelectVariant>;
}

export interface BoundSelect {
  /** `step` as the uniform was written; with a list, `entries` is the most that it may hold. */
  encode(pass: GPUComputePassEncoder, step: SelectStep): void;
}

export async function bindSelect(device: Device, io: SelectBuffers): Promise<BoundSelect> {
  const { heads, kvHeads, scores, scratch, selection, list } = io;
  const group = heads / kvHeads;
  const { kind, limits } = device.facts;
  const wanted = { ...usualVariants[kind], ...io.variant };
  const variant = { ...wanted, invocations: Math.min(wanted.invocations, limits['maxComputeInvocationsPerWorkgroup'], limits['maxComputeWorkgroupSizeX']) };
  const { invocations, mostSplits, leastEntriesPerInvocation } = variant;
  if (!Number.isInteger(group) || group > invocations) throw new RangeError(`${heads} heads cannot share ${kvHeads} key-value heads`);
  const kernels = await selectKernels(device, variant, { group, isList: list !== undefined });
  const { masses, coarse, fine, boundaries, thresholds, splitCounts } = scratch.buffers;
  const { numbers } = io.uniform;
  const entries = list?.counts ?? io.uniform.entryCounts;
  const shape = sharedUniform(device, 'select shape', [io.stride, list?.maxSelected ?? 0, selection.maxSelected, invocations]);
  const writeList = list ? [list.tokens] : [];
  const { statistics, weigh, follow, resolve, count, write } = kernels;
  const weighing = { kernel: weigh, bindings: weigh.bind(shape, entries, scores, masses, coarse) };
  const following = { kernel: follow, bindings: follow.bind(shape, numbers, entries, scores, coarse, ...writeList) };
  const stages = [
    { kernel: resolve, bindings: resolve.bind(shape, numbers, entries, scores, coarse, fine, boundaries) },
    { kernel: count, bindings: count.bind(shape, numbers, entries, scores, fine, boundaries, thresholds, splitCounts, coarse) },
    { kernel: write, bindings: write.bind(shape, entries, scores, thresholds, splitCounts, selection.tokens, selection.counts, fine, ...writeList) },
  ];
  const first = io.hasMasses ? null : { kernel: statistics, bindings: statistics.bind(shape, entries, scores, masses) };
  return {
    encode(pass, step) {
      if (step.wanted > selection.maxSelected) throw new RangeError(`${step.wanted} tokens are wanted where ${selection.maxSelected} fit`);
      if (step.entries > io.stride) throw new RangeError(`${step.entries} entries are more than the ${io.stride} of a row of scores`);
      const splits = Math.min(mostSplits, Math.max(1, Math.ceil(step.entries / (leastEntriesPerInvocation * invocations))));
      if (first) encodeDispatch(pass, first, splits, heads);
      for (const stage of [weighing, ...(step.follow ? [following] : []), ...stages]) encodeDispatch(pass, stage, splits, kvHeads);
    },
  };
}

async function selectKernels(device: Device, { invocations, writtenAtOnce, subgroups }: SelectVariant, { group, isList }: { group: number; isList: boolean }): Promise<Record<'statistics' | 'weigh' | 'follow' | 'resolve' | 'count' | 'write', Kernel>> {
  const constants = { INVOCATIONS: invocations, GROUP: group };
  const kernel = (label: string, texts: string[], more = {}): Promise<Kernel> =>
    device.kernels.get({ label, texts: [sharedText, ...texts], constants: { ...constants, ...more } });
  const summing = (label: string, texts: string[], more = {}): Promise<Kernel> =>
    device.kernels.get(subgroupSource(device, subgroups, { label, texts: [sharedText, sumsText, ...texts], constants: { ...constants, ...more } }));
  const [statistics, weigh, follow, resolve, count, write] = await Promise.all([
    kernel('select_statistics', [massText, statisticsText]),
    kernel('select_weigh', [massText, weighText], { HALVED: 2 ** Math.ceil(Math.log2(Math.floor(invocations / group))) }),
    kernel('select_follow', [followText], { LIST: isList }),
    summing('select_resolve', [findText, resolveText]),
    summing('select_count', [findText, countText]),
    summing('select_write', [writeText], { LIST: isList, AT_ONCE: writtenAtOnce }),
  ]);
  return { statistics, weigh, follow, resolve, count, write };
}

function scratchParts({ heads, kvHeads }: HeadShape) {
  return {
    /** [head] of how many follow, then of (highest, Σ e^(score - highest)). */
    masses: heads * (1 + maxMasses) * 8,
    /** [kvHead][bucket]; clear between selections. */
    coarse: kvHeads * buckets * 4,
    fine: kvHeads * buckets * 4,
    /** [kvHead] of two numbers each. */
    boundaries: kvHeads * 8,
    thresholds: kvHeads * 8,
    splitCounts: kvHeads * maxSplits * 8,
  };
}
