/** Attention for GPUs and for adapters without subgroups: tiles of queries in workgroup memory. */
import tiledText from '../../../shaders/attention_tiled.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { AttentionBuffers } from './attention.ts';
import { bindMerge, sharedPartials } from './merge.ts';

const maxSplits = 32;
/** Queries that share a pass over the keys. */
export const tileQueries = 8;

/** What the text needs to know about the shape, whatever keys it reads. */
export function tileConstants(headDim: number): ShaderConstants {
  const headUnits = headDim / 4;
  const slices = Math.floor(64 / headUnits);
  return { WIDE: false, FUSED: true, HEAD_UNITS: headUnits, TILE: tileQueries, SLICES: slices, SLICED: slices > 1 };
}

export async function bindTiled(device: Device, io: AttentionBuffers): Promise<Bound> {
  const { layout, heads, window } = io;
  const group = heads / layout.kvHeads;
  const kernel = await device.kernels.get({
    label: 'attention_tiled',
    texts: [loadText, tiledText],
    constants: {
      ...tileConstants(layout.headDim),
      HALF_CACHE: layout.format === 'f16',
      VECTOR_UNITS: layout.headDim / 4,
      CAUSAL: true,
      PARTIAL: false,
      LISTED: false,
      WEIGHED: false,
      EIGHT_BIT: false,
    },
  });
  const partials = sharedPartials(device, maxSplits, heads, layout.headDim);
  const merge = await bindMerge(device, { partials, output: io.output, headDim: layout.headDim });
  const shape = sharedUniform(device, 'attention shape', [heads, layout.kvHeads, layout.capacitySlots, window ?? 0, 0]);
  const bindings = kernel.bind(io.step, shape, io.queries, io.keys, io.values, io.output, partials.outputs, partials.logSumExps);
  return {
    encode(pass, step) {
      const tiles = Math.ceil((step.rows * group) / tileQueries);
      const seenKeys = Math.min(step.position + step.rows, window === null ? Infinity : window + step.rows - 1);
      const splits = step.rows > 1 ? 1 : Math.min(maxSplits, Math.ceil(seenKeys / 256));
      encodeDispatch(pass, { kernel, bindings }, tiles, layout.kvHeads, splits);
      if (splits > 1) merge.encode(pass, splits, step.rows * heads);
    },
  };
}
