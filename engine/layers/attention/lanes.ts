/** Attention for software adapters: a workgroup is one subgroup; no barriers, no workgroup memory. */
import decodeText from '../../../shaders/attention_lanes_decode.wgsl';
import readText from '../../../shaders/attention_lanes_read.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type Kernel } from '../../device/kernel.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { AttentionBuffers } from './attention.ts';
import type { KvLayout } from './layout.ts';
import { bindMerge, sharedPartials } from './merge.ts';

const maxSplits = 16;

export async function bindLanes(device: Device, io: AttentionBuffers): Promise<Bound> {
  const { layout, heads, window } = io;
  const { kvHeads, headDim } = layout;
  const group = heads / kvHeads;
  const decodeHeads = headsAtOnce(group);
  const { read, decode, queriesAtOnce } = await lanesKernels(device, layout, decodeHeads);
  const partials = sharedPartials(device, maxSplits, heads, headDim);
  const merge = await bindMerge(device, { partials, output: io.output, headDim });
  const shape = sharedUniform(device, 'attention shape', [heads, kvHeads, layout.capacitySlots, window ?? 0, headDim / 4]);
  const common = [io.step, shape, io.queries, io.keys, io.values, io.output] as const;
  const readDispatch = { kernel: read, bindings: read.bind(...common) };
  const decodeDispatch = { kernel: decode, bindings: decode.bind(...common, partials.outputs, partials.logSumExps) };
  return {
    encode(pass, step) {
      if (step.rows > 1) {
        encodeDispatch(pass, readDispatch, Math.ceil((step.rows * group) / queriesAtOnce), kvHeads);
        return;
      }
      const splits = splitsFor(Math.min(step.position + 1, window ?? Infinity), io);
      encodeDispatch(pass, decodeDispatch, splits, kvHeads, Math.ceil(group / decodeHeads));
      if (splits > 1) merge.encode(pass, splits, heads);
    },
  };
}

/** Query heads that share one pass over the keys while decoding: evenly many a tile, at most 4. */
export function headsAtOnce(group: number): number {
  return Math.ceil(group / Math.ceil(group / 4));
}

/**
 * A merge costs another dispatch, so short texts are not split; long ones are split so that the parts
 * can be shared evenly by a few cores.
 */
function splitsFor(seenTokens: number, { layout, heads }: AttentionBuffers): number {
  if (seenTokens * heads * layout.headDim < 400_000) return 1;
  return Math.min(maxSplits, Math.ceil(8 / layout.kvHeads), Math.ceil(seenTokens / 64));
}

/**
 * Groups of queries and keys a block, measured: larger tiles load less for each product, but compile
 * longer, on SwiftShader in every process.
 */
function readTile(lanes: number, headDim: number): { groups: number; keys: number } {
  if (lanes >= 8) return { groups: 2, keys: headDim <= 64 ? 4 : headDim <= 96 ? 2 : 1 };
  return headDim <= 64 ? { groups: 4, keys: 4 } : { groups: 2, keys: headDim <= 128 ? 2 : 1 };
}

async function lanesKernels(device: Device, layout: KvLayout, decodeHeads: number): Promise<{ read: Kernel; decode: Kernel; queriesAtOnce: number }> {
  const lanes = device.facts.subgroupLanes;
  const half = layout.format === 'f16';
  const units = layout.headDim / (half ? 8 : 4);
  const shared = {
    LANES: lanes,
    HALF_CACHE: half,
    WIDE: true,
    FUSED: lanes >= 8,
    UNITS: units,
    LOADS: Math.ceil(units / lanes),
    PARTS: half ? 2 : 1,
  };
  const { groups, keys } = readTile(lanes, layout.headDim);
  const [read, decode] = await Promise.all([
    device.kernels.get({
      label: 'attention_lanes_read',
      texts: [loadText, readText],
      enables: ['subgroups'],
      constants: { ...shared, GROUPS: groups, KEYS: keys },
    }),
    device.kernels.get({
      label: 'attention_lanes_decode',
      texts: [loadText, decodeText],
      enables: ['subgroups'],
      constants: { ...shared, HEADS: decodeHeads, ONE_LOAD: shared.LOADS === 1, HOISTED: lanes < 8 && shared.LOADS <= 4 },
    }),
  ]);
  return { read, decode, queriesAtOnce: groups * lanes };
}
