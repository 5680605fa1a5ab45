/** Attention that runs everywhere, for GPUs and for adapters without subgroups: tiles of queries in workgroup memory. */
import tiledText from '../../../shaders/attention_tiled.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../../device/device.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';

/** Queries that share a pass over the keys. */
export const tileQueries = 8;

/** The plain kernel, which the others must agree with. `alone`: for one row, whose keys are split. */
export function tiledVariant(device: Device, { format, causal, partial, listed, weighed, headDim }: KeysRead, { alone }: { alone: boolean }): AttentionVariant {
  const headUnits = headDim / 4;
  const slices = Math.floor(64 / headUnits);
  const eightBit = format === 'q8';
  return {
    name: `attention_tiled, ${tileQueries} queries`,
    queriesAtOnce: tileQueries,
    splits: { workgroups: alone ? 256 : 0, keys: 256 },
    kernel: () =>
      device.kernels.get({
        label: 'attention_tiled',
        texts: [eightBit ? eightBitText : loadText, tiledText],
        constants: {
          WIDE: false,
          FUSED: true,
          HEAD_UNITS: headUnits,
          TILE: tileQueries,
          SLICES: slices,
          SLICED: slices > 1,
          HALF_CACHE: format === 'f16',
          EIGHT_BIT: eightBit,
          VECTOR_UNITS: eightBit ? eightBitRecordWords(headDim) : headUnits,
          CAUSAL: causal,
          PARTIAL: partial,
          LISTED: listed,
          WEIGHED: weighed,
        },
      }),
  };
}
