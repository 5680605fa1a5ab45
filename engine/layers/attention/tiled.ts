/** Attention for GPUs and for adapters without subgroups: tiles of queries in workgroup memory. */
import tiledText from '../../../shaders/attention_tiled.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { AttentionBuffers } from './attention.ts';
import { bindMerge, sharedPartials } from './merge.ts';

const maxSplits = 32;

export async function bindTiled(device: Device, io: AttentionBuffers): Promise<Bound> {
  const { layout, heads, window } = io;
  const group = heads / layout.kvHeads;
  const headUnits = layout.headDim / 4;
  const tile = 8;
  const slices = Math.floor(64 / headUnits);
  const kernel = await device.kernels.get({
    label: 'attention_tiled',
    texts: [loadText, tiledText],
    constants: { HALF_CACHE: layout.format === 'f16', WIDE: false, FUSED: true, HEAD_UNITS: headUnits, TILE: tile, SLICES: slices, SLICED: slices > 1 },
  });
  const partials = sharedPartials(device, maxSplits, heads, layout.headDim);
  const merge = await bindMerge(device, { partials, output: io.output, headDim: layout.headDim });
  const shape = sharedUniform(device, 'attention shape', [heads, layout.kvHeads, layout.capacitySlots, window ?? 0]);
  const bindings = kernel.bind(io.step, shape, io.queries, io.keys, io.values, io.output, partials.outputs, partials.logSumExps);
  return {
    encode(pass, step) {
      const tiles = Math.ceil((step.rows * group) / tile);
      const seenKeys = Math.min(step.position + step.rows, window === null ? Infinity : window + step.rows - 1);
      const splits = step.rows > 1 ? 1 : Math.min(maxSplits, Math.ceil(seenKeys / 256));
      encodeDispatch(pass, { kernel, bindings }, tiles, layout.kvHeads, splits);
      if (splits > 1) merge.encode(pass, splits, step.rows * heads);
    },
  };
}
