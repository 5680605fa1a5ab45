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
      encodeDispatch(pass, decodeDispatch, splits, kvHeads, group / decodeHeads);
      if (splits > 1) merge.encode(pass, splits, heads);
    },
  };
}

/** Query heads that share one pass over the keys while decoding: the largest divisor up to 8. */
function headsAtOnce(group: number): number {
  for (let count = Math.min(8, group); count > 1; count--) if (group % count === 0) return count;
  return 1;
}

/**
 * A merge costs another dispatch, so short texts are not split; long ones are split so that the parts
 * can be shared evenly by a few cores.
 */
function splitsFor(seenTokens: number, { layout, heads }: AttentionBuffers): number {
  if (seenTokens * heads * layout.headDim < 400_000) return 1;
  return Math.min(maxSplits, Math.ceil(8 / layout.kvHeads), Math.ceil(seenTokens / 64));
}

async function lanesKernels(device: Device, layout: KvLayout, decodeHeads: number): Promise<{ read: Kernel; decode: Kernel; queriesAtOnce: number }> {
  const lanes = device.facts.subgroupLanes;
  const half = layout.format === 'f16';
  const units = layout.headDim / (half ? 8 : 4);
  const groups = Math.max(1, Math.floor(16 / lanes));
  const shared = {
    LANES: lanes,
    HALF_CACHE: half,
    WIDE: true,
    FUSED: lanes >= 8,
    UNITS: units,
    LOADS: Math.ceil(units / lanes),
    PARTS: half ? 2 : 1,
  };
  const keys = layout.headDim <= 64 ? 4 : layout.headDim <= 128 ? 2 : 1;
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
      constants: { ...shared, HEADS: decodeHeads },
    }),
  ]);
  return { read, decode, queriesAtOnce: groups * lanes };
}
