/** Kernels of real GPUs: workgroup memory, barriers and many threads. */
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import matmulWorkgroupRow from '../../../shaders/matmul_workgroup_row.wgsl';
import matmulWorkgroupTile from '../../../shaders/matmul_workgroup_tile.wgsl';
import type { Device } from '../../device/device.ts';
import { blockWeights, formatConstants } from './format.ts';
import { portableVariants } from './portable.ts';
import type { Variant, VariantFamily } from './variants.ts';

const slices = 8;

export function workgroupFamily(device: Device): VariantFamily {
  const few = (rows: number, fromRows: number): Variant => ({
    name: `matmul_workgroup_row, ${rows} rows × 32 columns × ${slices} slices`,
    fromRows,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_workgroup_row',
        texts: [matmulWeights, matmulWorkgroupRow],
        constants: { ...formatConstants(part.format, part.tileColumns, part.inTexture), ROWS: rows, SLICES: slices },
      }),
    workgroups: (outputs, stepRows) => ({ x: Math.ceil(outputs / 32), y: Math.ceil(stepRows / rows) }),
  });
  const many: Variant = {
    name: 'matmul_workgroup_tile, 64 rows × 64 columns',
    fromRows: 9,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_workgroup_tile',
        texts: [matmulWeights, matmulWorkgroupTile],
        constants: formatConstants(part.format, part.tileColumns, part.inTexture),
      }),
    workgroups: (outputs, rows) => ({ x: Math.ceil(outputs / 64), y: Math.ceil(rows / 64) }),
  };
  const variants = [few(1, 1), few(4, 2), many];
  return {
    name: 'workgroup',
    layout: { tileColumns: 64, textures: false },
    variantsFor: ({ inputs }) => (inputs % blockWeights === 0 ? variants : portableVariants(device)),
    describe: () => ({ decode: variants[0].name, 'small batch': variants[1].name, prefill: many.name }),
  };
}
