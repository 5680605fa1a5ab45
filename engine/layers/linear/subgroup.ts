/** Kernels of software adapters: one subgroup a workgroup, no barriers, no workgroup memory. */
import activationText from '../../../shaders/activation.wgsl';
import matmulRowSums from '../../../shaders/matmul_row_sums.wgsl';
import matmulSubgroupRow from '../../../shaders/matmul_subgroup_row.wgsl';
import matmulSubgroupTile from '../../../shaders/matmul_subgroup_tile.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { blockWeights, fieldsPerUnit, formatConstants, type Layout, type TextureKind, type WeightFormat } from './format.ts';
import { portableVariants } from './portable.ts';
import type { Fusion, Variant, VariantFamily } from './variants.ts';
import type { WeightPart } from './weights.ts';

interface Tile {
  /** Columns of a lane. */
  columns: number;
  /** Rows of a workgroup, in units of the lanes. */
  rowGroups: number;
  byComponent: boolean;
}

// Wider tiles save loads but compile longer and spill more; these were the fastest of those measured.
const shapes: Record<number, { rowColumns: number; tile: Tile }> = {
  4: { rowColumns: 4, tile: { columns: 8, rowGroups: 4, byComponent: false } },
  8: { rowColumns: 8, tile: { columns: 4, rowGroups: 1, byComponent: true } },
};

/** What matmul_row_sums.wgsl needs besides the format. */
export function rowSumsConstants(format: WeightFormat, lanes: number): ShaderConstants {
  return {
    LANES: lanes,
    FOUR_LANES: lanes === 4,
    COLUMNS: shapes[lanes].rowColumns,
    OWN_QUADS: 8 / lanes,
    FIELD_BITS: format.scales === 'none' ? 0 : 32 / fieldsPerUnit(format),
  };
}

export function subgroupFamily(device: Device, texture: Extract<TextureKind, 'storage'> | null): VariantFamily {
  const lanes = device.facts.subgroupLanes;
  const { rowColumns, tile } = shapes[lanes];
  const layout: Layout = { tileColumns: 64, texture };
  const constants = (part: WeightPart) => ({
    ...formatConstants(part.format, part.tileColumns, part.texture),
    LANES: lanes,
    FOUR_LANES: lanes === 4,
  });
  const row = (part: WeightPart, gate: Fusion['gate']): Promise<Kernel> =>
    device.kernels.get({
      label: 'matmul_subgroup_row',
      texts: [matmulWeights, matmulRowSums, ...(gate ? [activationText] : []), matmulSubgroupRow],
      constants: {
        ...constants(part),
        ...rowSumsConstants(part.format, lanes),
        MATRICES: 1,
        GATED: gate !== null,
        ...(gate ? { GELU: gate === 'gelu-tanh' } : {}),
      },
      enables: ['subgroups'],
    });
  const decode: Variant = {
    name: 'matmul_subgroup_row',
    fromRows: 1,
    kernel: (part) => row(part, null),
    // Every workgroup would have to normalise the input again: loads are what costs here.
    fuses: { norm: false, gate: true },
    fused: (part, _inputs, { gate }) => ({ kernel: row(part, gate), x: Math.ceil(part.outputs / (gate ? 2 : 1) / (lanes * rowColumns)) }),
    workgroups: (outputs, rows) => ({ x: Math.ceil(outputs / (lanes * rowColumns)), y: rows }),
  };
  const tileRows = lanes * tile.rowGroups;
  const prefill: Variant = {
    name: 'matmul_subgroup_tile',
    // A tile costs the same however few of its rows are used; half of it is where it begins to win.
    fromRows: tileRows / 2 + 1,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_subgroup_tile',
        texts: [matmulWeights, matmulSubgroupTile],
        constants: { ...constants(part), COLUMNS: tile.columns, ROW_GROUPS: tile.rowGroups, BY_COMPONENT: tile.byComponent },
        enables: ['subgroups'],
      }),
    workgroups: (outputs, rows) => ({ x: Math.ceil(outputs / (lanes * tile.columns)), y: Math.ceil(rows / tileRows) }),
  };
  return {
    name: texture === null ? 'subgroup' : 'subgroup texture',
    layout,
    teams: device.facts.runsWorkgroupsAtOnce,
    variantsFor: ({ inputs }) => (inputs % blockWeights === 0 ? [decode, prefill] : portableVariants(device)),
    describe: () => ({
      decode: `${decode.name}, ${lanes} lanes × ${rowColumns} columns, f32 activations`,
      prefill: `${prefill.name}, ${tileRows} rows × ${lanes * tile.columns} columns, f32 activations`,
    }),
  };
}
