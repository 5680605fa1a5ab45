/**
 * Attention over a part of a layer's keys. Each part leaves (output, log-sum-exp) in its own splits of the
 * layer's partials; merging all splits gives attention over all parts, exactly (log-sum-exp merge).
 */
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { FarFormat } from '../../kv/tiers/record.ts';
import { sharedUniform } from '../pointwise/bound.ts';
import type { Step } from '../step.ts';
import { choosePart } from './choice.ts';
import type { Partials } from './merge.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';

/**
 * `ring`: causal, the layer's own cache from `step.sealed` on. `range`: slots 0 … keys of stored vectors.
 * `list`: the listed slots. `weighed`: slots 0 … keys, each of which stands for several keys, or for none.
 */
export type PartSource =
  | { kind: 'ring'; format: 'f32' | 'f16' }
  | { kind: 'range'; format: FarFormat | 'f32' }
  | { kind: 'list'; format: FarFormat; list: GPUBuffer; counts: GPUBuffer; listCapacity: number }
  | { kind: 'weighed'; format: FarFormat; weights: GPUBuffer };

export interface PartBuffers {
  /** [rows][heads·headDim] f32, already scaled; may begin inside a buffer. */
  queries: GPUBuffer | GPUBufferBinding;
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

export interface PartOptions {
  /** For rings and ranges: kernels that are only faster for many queries, where heads and adapter have the room. */
  many?: boolean;
  /** Another kernel than the one that would be taken. */
  variant?: AttentionVariant;
}

export async function bindPart(device: Device, source: PartSource, io: PartBuffers, { many = false, variant }: PartOptions = {}): Promise<BoundPart> {
  const { heads, kvHeads } = io;
  const listed = source.kind === 'list';
  const { queriesAtOnce, ...one } = variant ?? (await choosePart(device, partKeys(source, io), { many }));
  const kernel = await one.kernel();
  const shape = sharedUniform(device, 'attention part shape', [heads, kvHeads, io.capacitySlots, 0, listed ? source.listCapacity : 0, io.headDim / 4]);
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

export function partKeys(source: PartSource, { heads, kvHeads, headDim, capacitySlots }: PartBuffers): KeysRead {
  return { format: source.format, heads, kvHeads, headDim, capacitySlots, causal: source.kind === 'ring', partial: true, listed: source.kind === 'list', weighed: source.kind === 'weighed' };
}
