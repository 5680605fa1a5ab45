/**
 * Attention over a part of a layer's keys. Each part leaves (output, log-sum-exp) in its own splits of the
 * layer's partials; merging all splits gives attention over all parts, exactly (log-sum-exp merge).
 */
import tiledText from '../../../shaders/attention_tiled.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type Kernel } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import { type FarFormat, recordWords } from '../../kv/tiers/record.ts';
import { sharedUniform } from '../pointwise/bound.ts';
import type { Step } from '../step.ts';
import { blocksKernel } from './blocks.ts';
import type { Partials } from './merge.ts';
import { tileConstants, tileQueries } from './tiled.ts';

/**
 * `ring`: causal, the layer's own cache from `step.sealed` on. `range`: slots 0 … keys of stored vectors.
 * `list`: the listed slots. `weighed`: slots 0 … keys, each of which stands for several keys, or for none.
 */
export type PartSource =
  | { kind: 'ring'; format: 'f32' | 'f16' }
  | { kind: 'range'; format: FarFormat }
  | { kind: 'list'; format: FarFormat; list: GPUBuffer; counts: GPUBuffer; listCapacity: number }
  | { kind: 'weighed'; format: FarFormat; weights: GPUBuffer };

export interface PartBuffers {
  /** [rows][heads·headDim] f32, already scaled. */
  queries: GPUBuffer;
  /** [kvHead][slot] vectors in the source's format. */
  keys: GPUBuffer;
  values: GPUBuffer;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Slots a KV head has room for. */
  capacitySlots: number;
  partials: Partials;
  step: GPUBuffer;
}

export interface BoundPart {
  /** Takes effect for everything submitted later. */
  write(numbers: { keys: number; firstSplit: number; continued: boolean }): void;
  encode(pass: GPUComputePassEncoder, step: Step, splits: number): void;
}

/** `blocks`, for rings and ranges: the kernel that is only faster for many queries, where heads and adapter have the room. */
export async function bindPart(device: Device, source: PartSource, io: PartBuffers, { blocks = false } = {}): Promise<BoundPart> {
  const { heads, kvHeads } = io;
  const listed = source.kind === 'list';
  const { kernel, queriesAtOnce } = (blocks ? await blocksOf(device, source, io) : null) ?? (await tiledKernel(device, source, io));
  const shape = sharedUniform(device, 'attention part shape', [heads, kvHeads, io.capacitySlots, 0, listed ? source.listCapacity : 0]);
  const numbers = device.memory.allocate('activations', 'attention part', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  const lists = listed ? [source.list, source.counts] : [];
  const weights = source.kind === 'weighed' ? [source.weights] : [];
  const { outputs, logSumExps } = io.partials;
  const bindings = kernel.bind(io.step, shape, io.queries, io.keys, io.values, outputs, logSumExps, numbers, ...lists, ...weights);
  const group = heads / kvHeads;
  let written = '';
  return {
    write: ({ keys, firstSplit, continued }) => {
      // Most steps have the numbers of the one before, and a write takes longer than finding that out.
      const wanted = `${keys} ${firstSplit} ${continued}`;
      if (wanted === written) return;
      written = wanted;
      device.gpu.queue.writeBuffer(numbers, 0, packUniforms([keys, firstSplit, continued ? 1 : 0]));
    },
    encode: (pass, step, splits) => encodeDispatch(pass, { kernel, bindings }, Math.ceil((step.rows * group) / queriesAtOnce), kvHeads, splits),
  };
}

interface PartKernel {
  kernel: Kernel;
  queriesAtOnce: number;
}

async function tiledKernel(device: Device, source: PartSource, { headDim }: PartBuffers): Promise<PartKernel> {
  const eightBit = source.format === 'q8';
  const kernel = await device.kernels.get({
    label: `attention_tiled ${source.kind}`,
    texts: [eightBit ? eightBitText : loadText, tiledText],
    constants: {
      ...tileConstants(headDim),
      HALF_CACHE: source.format === 'f16',
      EIGHT_BIT: eightBit,
      VECTOR_UNITS: eightBit ? recordWords('q8', headDim) : headDim / 4,
      CAUSAL: source.kind === 'ring',
      PARTIAL: true,
      LISTED: source.kind === 'list',
      WEIGHED: source.kind === 'weighed',
    },
  });
  return { kernel, queriesAtOnce: tileQueries };
}

async function blocksOf(device: Device, source: PartSource, { headDim }: PartBuffers): Promise<PartKernel | null> {
  if (source.kind === 'list' || source.kind === 'weighed') return null;
  return blocksKernel(device, { format: source.format, causal: source.kind === 'ring', headDim });
}
