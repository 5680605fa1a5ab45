/**
 * Exact causal attention over a layer's cache. Reading (many rows) and decoding (one row) may use
 * different kernels; long decoding splits the keys, so that all cores work, and merges the parts.
 */
import type { Device } from '../../device/device.ts';
import type { Bound } from '../pointwise/bound.ts';
import { chooseAttention } from './choice.ts';
import { bindLanes, usesLanes } from './lanes.ts';
import type { KvLayout } from './layout.ts';
import { type AttentionKernels, bindVariants, keysOf } from './variants.ts';

export interface AttentionBuffers {
  /** [rows][heads·headDim] f32, already scaled. */
  queries: GPUBuffer;
  keys: GPUBuffer;
  values: GPUBuffer;
  /** [rows][heads·headDim] f32. */
  output: GPUBuffer;
  layout: KvLayout;
  /** A multiple of kvHeads. */
  heads: number;
  /** Tokens that a query sees, itself included; null sees all before it. */
  window: number | null;
  step: GPUBuffer;
  maxRows: number;
  /** The most tokens the sequence may have. */
  contextTokens: number;
}

/** Token `position + row` attends to the tokens up to itself, which must be stored already. Left out, `kernels` are those that were chosen. */
export async function bindAttention(device: Device, io: AttentionBuffers, kernels?: AttentionKernels | 'lanes'): Promise<Bound> {
  checkShape(io);
  if (kernels === 'lanes' || (!kernels && usesLanes(device))) return bindLanes(device, io);
  const { layout, heads } = io;
  return bindVariants(device, io, kernels ?? (await chooseAttention(device, keysOf(layout, heads))));
}

function checkShape({ layout, heads, window, maxRows, contextTokens }: AttentionBuffers): void {
  const { kvHeads, headDim, capacitySlots } = layout;
  if (heads % kvHeads !== 0) throw new RangeError(`${heads} heads cannot share ${kvHeads} key-value heads evenly`);
  if (headDim % 8 !== 0 || headDim > 256) throw new RangeError(`heads of ${headDim} dimensions are not supported`);
  const needed = Math.min(contextTokens, window === null ? contextTokens : window + maxRows - 1);
  if (capacitySlots < needed) throw new RangeError(`the cache has ${capacitySlots} slots where attention reads ${needed}`);
}
