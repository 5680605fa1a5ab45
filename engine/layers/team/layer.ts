/** A layer of attention and a dense feed-forward for one row, its norms included, in one dispatch. */
import activationText from '../../../shaders/activation.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import multiplyAddText from '../../../shaders/multiply_add.wgsl';
import matmulRowSums from '../../../shaders/matmul_row_sums.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import teamText from '../../../shaders/team.wgsl';
import layerText from '../../../shaders/team_layer.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { headsAtOnce } from '../attention/lanes.ts';
import type { KvLayout } from '../attention/layout.ts';
import type { TextureKind } from '../linear/format.ts';
import { shapeMembers } from '../linear/product.ts';
import { bindingsOf, type LinearWeights } from '../linear/weights.ts';
import type { Bound } from '../pointwise/bound.ts';
import type { Activation } from '../pointwise/gated.ts';
import { commonConstants, type Team } from './team.ts';

export interface TeamLayer {
  hiddenSize: number;
  heads: number;
  /** Of the feed-forward. */
  width: number;
  layout: KvLayout;
  window: number | null;
  /** As in `RotateAndStoreBuffers`. */
  pairing: 'adjacent' | 'halves';
  rotatedDims: number;
  queryScale: number;
  activation: Activation;
  epsilon: number;
  /** Rows: queries, keys, values. */
  queryKeyValue: LinearWeights;
  mixerOutput: LinearWeights;
  /** Rows: gates, then what they let through. */
  gateUp: LinearWeights;
  down: LinearWeights;
  /** f32 [hiddenSize]; the layer's results are added to it. */
  hidden: GPUBuffer;
  /** f32 [hiddenSize] each. */
  attentionGain: GPUBuffer;
  feedGain: GPUBuffer;
  /** [rotatedDims / 2] of (cos, sin) f32. */
  angles: GPUBuffer;
  keys: GPUBuffer;
  values: GPUBuffer;
  step: GPUBuffer;
}

type Sizes = Pick<TeamLayer, 'hiddenSize' | 'heads' | 'width'> & { layout: Pick<KvLayout, 'kvHeads' | 'headDim'> };

/** Numbers of `Team.work` that it needs; the parts of it are those of team_layer.wgsl. */
export function workOfLayer(members: number, { hiddenSize, heads, width, layout: { kvHeads, headDim } }: Sizes): number {
  const queries = heads * headDim;
  return (heads + 2 * kvHeads) * headDim + queries + members * (ownRow(hiddenSize, queries) + queries + pad(heads)) + width;
}

/** Where in it the layer's queries lie, scaled and rotated, until the next layer is computed. */
export function queriesOrigin({ heads, layout: { kvHeads, headDim } }: Pick<Sizes, 'heads' | 'layout'>): number {
  return (heads + 2 * kvHeads) * headDim;
}

const ownRow = (hiddenSize: number, queries: number): number => Math.max(hiddenSize, queries);
/** Rows are read by quads. */
const pad = (numbers: number): number => Math.ceil(numbers / 4) * 4;

/**
 * null for layers that one kernel cannot compute. Encode it for steps of one row only. Kernels with fewer `columns` a lane
 * than is fastest compile faster.
 */
export async function bindTeamLayer(device: Device, team: Team, io: TeamLayer, columns?: number): Promise<Bound | null> {
  const { layout, heads, hiddenSize, width } = io;
  const { kvHeads, headDim, capacitySlots } = layout;
  const matrices = [io.queryKeyValue, io.mixerOutput, io.gateUp, io.down];
  const common = commonConstants(device, matrices);
  if (!common || layout.format !== 'f32' || !fits(device, common.parts[0].texture)) return null;
  const lanes = device.facts.subgroupLanes;
  const kernel = await device.kernels.get({
    label: 'team_layer',
    texts: [matmulWeights, matmulRowSums, activationText, teamText, loadText, multiplyAddText, layerText],
    constants: {
      ...common.constants,
      ...(columns ? { COLUMNS: columns } : {}),
      HIDDEN: hiddenSize,
      WIDTH: width,
      HEADS: heads,
      KV_HEADS: kvHeads,
      HEAD_DIM: headDim,
      ROTATED: io.rotatedDims,
      HALVES: io.pairing === 'halves',
      CAPACITY: capacitySlots,
      WINDOW: io.window ?? 0,
      TILE_HEADS: headsAtOnce(heads / kvHeads),
      LOADS: Math.ceil(headDim / 4 / lanes),
      OWN: ownRow(hiddenSize, heads * headDim),
      LSE: pad(heads),
      HALF_CACHE: false,
      WIDE: false,
      FUSED: lanes >= 8,
      GELU: io.activation === 'gelu-tanh',
    },
    enables: ['subgroups'],
  });
  const weights = common.parts.flatMap((part) => [...bindingsOf(part), null].slice(0, 2));
  const shape = io.queryKeyValue.shapeUniform(shapeMembers(io.queryKeyValue, common.parts[0], { epsilon: io.epsilon, multiplier: io.queryScale }));
  const bindings = kernel.bind(shape, io.step, io.hidden, team.meeting, ...weights, io.attentionGain, io.feedGain, team.work, io.angles, io.keys, io.values);
  return { encode: (pass) => encodeDispatch(pass, { kernel, bindings }, team.members) };
}

/** Buffers besides the weights: hidden, meeting, two gains, work, angles, keys and values. */
const otherBuffers = 8;

function fits({ facts: { limits } }: Device, texture: TextureKind | null): boolean {
  return texture ? limits.maxStorageTexturesPerShaderStage >= 8 : limits.maxStorageBuffersPerShaderStage >= otherBuffers + 8;
}
