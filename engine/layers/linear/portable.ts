/** Kernels that need nothing but compute shaders. */
import matmulPortable from '../../../shaders/matmul_portable.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import { blockWeights, formatConstants, type Layout } from './format.ts';
import type { Variant, VariantFamily } from './variants.ts';

export function portableVariants(device: Device): Variant[] {
  const variant = (rows: number, fromRows: number): Variant => ({
    name: `matmul_portable ${rows} rows`,
    fromRows,
    kernel: (part, inputs) =>
      device.kernels.get({
        label: 'matmul_portable',
        texts: [matmulWeights, matmulPortable],
        constants: { ...formatConstants(part.format, part.tileColumns, part.texture), ROWS: rows, RAGGED: inputs % blockWeights !== 0 },
      }),
    workgroups: (outputs, stepRows) => ({ x: Math.ceil(outputs / 64), y: Math.ceil(stepRows / rows) }),
  });
  return [variant(1, 1), variant(4, 2)];
}

export function portableFamily(device: Device): VariantFamily {
  const layout: Layout = { tileColumns: 64, texture: null };
  const variants = portableVariants(device);
  return {
    name: 'portable',
    layout,
    variantsFor: () => variants,
    describe: () => ({ decode: variants[0].name, prefill: variants[1].name }),
  };
}
