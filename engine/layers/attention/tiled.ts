/** Attention that runs everywhere, for GPUs and for adapters without subgroups: tiles of queries in workgroup memory. */
import tiledText from '../../../shaders/attention_tiled.wgsl';
import type { Device } from '../../device/device.ts';
import { attentionSource, type AttentionVariant, type KeysRead } from './variants.ts';

/** Queries that share a pass over the keys. */
export const tileQueries = 8;

/** The plain kernel, which the others must agree with. `alone`: for one row, whose keys are split. */
export function tiledVariant(device: Device, keys: KeysRead, { alone }: { alone: boolean }): AttentionVariant {
  const headUnits = keys.headDim / 4;
  const slices = Math.floor(64 / headUnits);
  return {
    name: `attention_tiled, ${tileQueries} queries`,
    queriesAtOnce: tileQueries,
    splits: { workgroups: alone ? 256 : 0, keys: 256 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_tiled',
          text: tiledText,
          constants: {
            HEAD_UNITS: headUnits,
            TILE: tileQueries,
            SLICES: slices,
            SLICED: slices > 1,
          },
        }),
      ),
  };
}
