/** The kernel variants for matrix products and the choice between them. */
import matmulPortable from '../../../shaders/matmul_portable.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import { blockWeights, formatConstants, type Layout, type WeightFormat } from './format.ts';
import type { ChoiceCache } from './linear.ts';
import type { WeightPart } from './weights.ts';

/** One way to multiply, good from a number of rows on. */
export interface Variant {
  name: string;
  fromRows: number;
  kernel(part: WeightPart, inputs: number): Promise<Kernel>;
  workgroups(outputs: number, rows: number): { x: number; y: number };
}

/** Variants that share a layout of the weights. */
export interface VariantFamily {
  name: string;
  layout: Layout;
  variantsFor(format: WeightFormat): readonly Variant[];
  describe(): Record<string, string>;
}

export async function chooseVariants(device: Device, _cache: ChoiceCache, _forced?: string): Promise<VariantFamily> {
  return portableFamily(device);
}

function portableFamily(device: Device): VariantFamily {
  const layout: Layout = { tileColumns: 64, halfScales: true };
  const variant = (rows: number, fromRows: number): Variant => ({
    name: `matmul_portable rows ${rows}`,
    fromRows,
    kernel: (part, inputs) =>
      device.kernels.get({
        label: 'matmul_portable',
        texts: [matmulWeights, matmulPortable],
        constants: { ...formatConstants(part.format, layout), ROWS: rows, RAGGED: inputs % blockWeights !== 0 },
      }),
    workgroups: (outputs, stepRows) => ({ x: Math.ceil(outputs / 64), y: Math.ceil(stepRows / rows) }),
  });
  const variants = [variant(1, 1), variant(4, 2)];
  return {
    name: 'portable',
    layout,
    variantsFor: () => variants,
    describe: () => ({ decode: variants[0].name, prefill: variants[1].name }),
  };
}

/** Every family, for tests that force each of them. */
export const familyNames = ['portable'] as const;
