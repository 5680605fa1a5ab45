/** Attention for software adapters: a workgroup is one subgroup; no barriers, no workgroup memory. */
import decodeText from '../../../shaders/attention_lanes_decode.wgsl';
import readText from '../../../shaders/attention_lanes_read.wgsl';
import rowText from '../../../shaders/attention_lanes_row.wgsl';
import spansText from '../../../shaders/attention_lanes_spans.wgsl';
import multiplyAddText from '../../../shaders/multiply_add.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type Kernel } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';
import type { AttentionBuffers } from './attention.ts';
import { bindMerge, sharedPartials } from './merge.ts';
import { attentionSource, type AttentionVariant, keysOf, type KeysRead } from './variants.ts';

const maxSplits = 16;

/** It suits software adapters with subgroups; GPUs, and adapters without subgroups, choose a kernel for each job. */
export function usesLanes(device: Device): boolean {
  return kernelFamilies(device).includes('subgroup');
}

export async function bindLanes(device: Device, io: AttentionBuffers): Promise<Bound> {
  const { layout, heads, window } = io;
  const { kvHeads, headDim } = layout;
  const group = heads / kvHeads;
  const decodeHeads = headsAtOnce(group);
  const keys = keysOf(layout, heads);
  const variant = lanesVariant(device, keys);
  if (!variant) throw new RangeError('the lanes of this adapter cannot share keys');
  const [read, decode] = await Promise.all([variant.kernel(), decodeKernel(device, keys, decodeHeads)]);
  const partials = sharedPartials(device, maxSplits, heads, headDim);
  const merge = await bindMerge(device, { partials, output: io.output, headDim });
  const shape = sharedUniform(device, 'attention shape', [heads, kvHeads, layout.capacitySlots, window ?? 0, 0, headDim / 4]);
  const common = [io.step, shape, io.queries, io.keys, io.values, io.output] as const;
  const readDispatch = { kernel: read, bindings: read.bind(...common) };
  const decodeDispatch = { kernel: decode, bindings: decode.bind(...common, partials.outputs, partials.logSumExps) };
  return {
    encode(pass, step) {
      if (step.rows > 1) {
        encodeDispatch(pass, readDispatch, Math.ceil((step.rows * group) / variant.queriesAtOnce), kvHeads);
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

function laneConstants(device: Device, { format, headDim }: KeysRead) {
  const lanes = device.facts.subgroupLanes;
  const parts = format === 'f16' ? 2 : 1;
  const units = headDim / (4 * parts);
  return { LANES: lanes, FUSED: lanes >= 8, UNITS: units, LOADS: Math.ceil(units / lanes), PARTS: parts };
}

/** Of many queries; null on other adapters, and for what lies in no order. */
export function lanesVariant(device: Device, keys: KeysRead): AttentionVariant | null {
  if (!usesLanes(device) || keys.listed || keys.weighed) return null;
  const lanes = device.facts.subgroupLanes;
  if (fewLoads(device, keys) && keys.causal && !keys.partial && keys.format !== 'q8') return spansVariant(device, keys);
  const tile = readTile(lanes, keys.headDim);
  return {
    name: `attention_lanes_read, ${tile.groups * lanes} queries`,
    queriesAtOnce: tile.groups * lanes,
    splits: { workgroups: 0, keys: 64 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_lanes_read',
          text: readText,
          calls: [multiplyAddText],
          wide: true,
          enables: ['subgroups'],
          constants: { ...laneConstants(device, keys), GROUPS: tile.groups, KEYS: tile.keys },
        }),
      ),
  };
}

/** Few lanes, and vectors so short that a kernel can keep some by name. */
function fewLoads(device: Device, keys: KeysRead): boolean {
  const { LANES: lanes, LOADS: loads } = laneConstants(device, keys);
  return lanes < 8 && loads <= 4;
}

function spansVariant(device: Device, keys: KeysRead): AttentionVariant {
  // Measured: more keys make loops that do not fit, fewer queries load more for each product.
  const [queries, keysOfLane] = [64, 4];
  return {
    name: `attention_lanes_spans, ${queries} queries`,
    queriesAtOnce: queries,
    splits: { workgroups: 0, keys: 64 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_lanes_spans',
          text: spansText,
          wide: true,
          enables: ['subgroups'],
          constants: { ...laneConstants(device, keys), QUERIES: queries, KEYS: keysOfLane },
        }),
      ),
  };
}

function decodeKernel(device: Device, keys: KeysRead, heads: number): Promise<Kernel> {
  const constants = laneConstants(device, keys);
  const common = { wide: true, enables: ['subgroups'], constants: { ...constants, HEADS: heads, ONE_LOAD: constants.LOADS === 1 } };
  // SwiftShader's compiler keeps code in the order it is written, so that of a loop has to be short.
  return device.kernels.get(
    fewLoads(device, keys)
      ? attentionSource(keys, { label: 'attention_lanes_row', text: rowText, ...common })
      : attentionSource(keys, { label: 'attention_lanes_decode', text: decodeText, calls: [multiplyAddText], ...common }),
  );
}
