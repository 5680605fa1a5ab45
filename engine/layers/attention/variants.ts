/** What the attention kernels have in common: they read the same buffers and leave the same results. */
import ioText from '../../../shaders/attention_io.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type Kernel, type KernelSource } from '../../device/kernel.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { AttentionBuffers } from './attention.ts';
import type { KvLayout } from './layout.ts';
import { bindMerge, mostSplits, sharedPartials } from './merge.ts';

/** The keys that a kernel is specialised for. */
export interface KeysRead {
  format: 'f32' | 'f16' | 'q8';
  headDim: number;
  heads: number;
  kvHeads: number;
  capacitySlots: number;
  /** Slots are positions, and a query sees those up to its own; else every query sees every key. */
  causal: boolean;
  /** Leaves parts to be merged with those of other keys. */
  partial: boolean;
  listed: boolean;
  weighed: boolean;
}

/** The keys of a layer's own cache. */
export function keysOf(layout: KvLayout, heads: number): KeysRead {
  return { ...layout, heads, causal: true, partial: false, listed: false, weighed: false };
}

/** A kernel's own text and numbers; what it reads and leaves is added (attention_io.wgsl). */
interface OwnSource {
  label: string;
  text: string;
  /** What its text calls. */
  calls?: readonly string[];
  /** Loads 16 bytes of a vector at once. */
  wide?: boolean;
  /** The element that it writes results in. */
  mixed?: 'vec4<f32>' | 'f32';
  enables?: readonly string[];
  diagnosticsOff?: readonly string[];
  constants: ShaderConstants;
}

export function attentionSource({ format, headDim, causal, partial, listed, weighed }: KeysRead, { text, calls = [], wide = false, mixed = 'vec4<f32>', constants, ...own }: OwnSource): KernelSource {
  const eightBit = format === 'q8';
  const quadsAtOnce = wide && format === 'f16' ? 2 : 1;
  return {
    ...own,
    texts: [eightBit ? eightBitText : loadText, ioText, ...calls, text],
    aliases: { Mixed: mixed },
    constants: {
      HALF_CACHE: format === 'f16',
      EIGHT_BIT: eightBit,
      WIDE: wide,
      BY_BITS: wide,
      VECTOR_UNITS: eightBit ? eightBitRecordWords(headDim) : headDim / 4 / quadsAtOnce,
      CAUSAL: causal,
      PARTIAL: partial,
      LISTED: listed,
      WEIGHED: weighed,
      ...constants,
    },
  };
}

/** One way to attend. */
export interface AttentionVariant {
  name: string;
  /** Queries of a workgroup. */
  queriesAtOnce: number;
  kernel(): Promise<Kernel>;
  /** Its source without an entry point, where it can attend beside kernels over other keys (parts.ts). */
  body?: KernelSource;
  /** When keys are split among workgroups: so that there are about `workgroups`, and a split has at least `keys`. */
  splits: { workgroups: number; keys: number };
}

export interface AttentionKernels {
  /** For a row alone. */
  decode: AttentionVariant;
  /** For more. */
  read: AttentionVariant;
}

/** Reads the layer's own cache with one kernel for a row alone and another for more. */
export async function bindVariants(device: Device, io: AttentionBuffers, variants: AttentionKernels): Promise<Bound> {
  const { layout, heads, window } = io;
  const { kvHeads, headDim } = layout;
  const group = heads / kvHeads;
  const partials = sharedPartials(device, mostSplits, heads, headDim);
  const merge = await bindMerge(device, { partials, output: io.output, headDim });
  const shape = sharedUniform(device, 'attention shape', [heads, kvHeads, layout.capacitySlots, window ?? 0, 0, headDim / 4]);
  const dispatchOf = async (variant: AttentionVariant) => {
    const kernel = await variant.kernel();
    return { kernel, bindings: kernel.bind(io.step, shape, io.queries, io.keys, io.values, io.output, partials.outputs, partials.logSumExps) };
  };
  const [decode, read] = await Promise.all([dispatchOf(variants.decode), dispatchOf(variants.read)]);
  return {
    encode(pass, { rows, position }) {
      const alone = rows === 1;
      const variant = alone ? variants.decode : variants.read;
      const tiles = Math.ceil((rows * group) / variant.queriesAtOnce);
      const seenKeys = Math.min(position + rows, window === null ? Infinity : window + rows - 1);
      const splits = splitsFor(variant, { tiles: tiles * kvHeads, seenKeys, rows });
      encodeDispatch(pass, alone ? decode : read, tiles, kvHeads, splits);
      if (splits > 1) merge.encode(pass, splits, rows * heads);
    },
  };
}

function splitsFor({ splits }: AttentionVariant, { tiles, seenKeys, rows }: { tiles: number; seenKeys: number; rows: number }): number {
  const room = Math.floor(mostSplits / rows);
  return Math.max(1, Math.min(room, Math.floor(splits.workgroups / tiles), Math.ceil(seenKeys / splits.keys)));
}
