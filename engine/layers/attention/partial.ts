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

export interface PartNumbers {
  /** Keys of a range, or slots that weigh; rings and lists know their own. */
  keys: number;
  firstSplit: number;
  /** Adds to what its splits hold. */
  continued: boolean;
}

type PartSizes = Pick<PartBuffers, 'heads' | 'kvHeads' | 'headDim' | 'capacitySlots'>;

export interface BoundPart {
  /** Takes effect for everything submitted later. */
  write(numbers: PartNumbers): void;
  encode(pass: GPUComputePassEncoder, step: Step, splits: number): void;
}

export interface PartOptions {
  /** For rings and ranges: kernels that are only faster for many queries, where heads and adapter have the room. */
  many?: boolean;
  /** Another kernel than the one that would be taken. */
  variant?: AttentionVariant;
}

export async function bindPart(device: Device, source: PartSource, io: PartBuffers, { many = false, variant }: PartOptions = {}): Promise<BoundPart> {
  const { queriesAtOnce, ...one } = variant ?? (await choosePart(device, partKeys(source, io), { many }));
  const kernel = await one.kernel();
  const numbers = device.memory.allocate('activations', 'attention part', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  const lists = source.kind === 'list' ? [source.list, source.counts] : [];
  const weights = source.kind === 'weighed' ? [source.weights] : [];
  const { outputs, logSumExps } = io.partials;
  const bindings = kernel.bind(io.step, partShape(device, source, io), io.queries, io.keys, io.values, outputs, logSumExps, numbers, ...lists, ...weights);
  const group = io.heads / io.kvHeads;
  return {
    write: numbersWriter(device, numbers),
    encode: (pass, step, splits) => encodeDispatch(pass, { kernel, bindings }, Math.ceil((step.rows * group) / queriesAtOnce), io.kvHeads, splits),
  };
}

/** The uniform `shape` of the attention kernels. */
export function partShape(device: Device, source: PartSource, { heads, kvHeads, headDim, capacitySlots }: PartSizes): GPUBuffer {
  return sharedUniform(device, 'attention part shape', [heads, kvHeads, capacitySlots, 0, source.kind === 'list' ? source.listCapacity : 0, headDim / 4]);
}

/** Writes the uniform `part` of the attention kernels, at a place in a buffer. */
export function numbersWriter(device: Device, buffer: GPUBuffer, offset = 0): BoundPart['write'] {
  let written = '';
  return ({ keys, firstSplit, continued }) => {
    // Most steps have the numbers of the one before, and a write takes longer than finding that out.
    const wanted = `${keys} ${firstSplit} ${continued}`;
    if (wanted === written) return;
    written = wanted;
    device.gpu.queue.writeBuffer(buffer, offset, packUniforms([keys, firstSplit, continued ? 1 : 0]));
  };
}

export function partKeys(source: PartSource, { heads, kvHeads, headDim, capacitySlots }: PartSizes): KeysRead {
  return { format: source.format, heads, kvHeads, headDim, capacitySlots, causal: source.kind === 'ring', partial: true, listed: source.kind === 'list', weighed: source.kind === 'weighed' };
}
