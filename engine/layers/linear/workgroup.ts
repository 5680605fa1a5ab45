/** Kernels of real GPUs: workgroup memory, barriers and many threads. Which of them runs is measured. */
import activationText from '../../../shaders/activation.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import matmulWorkgroupRow from '../../../shaders/matmul_workgroup_row.wgsl';
import matmulWorkgroupTile from '../../../shaders/matmul_workgroup_tile.wgsl';
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import { blockWeights, formatConstants, type WeightFormat } from './format.ts';
import type { LinearShape } from './matrix.ts';
import { matrixTiles, matrixVariant } from './matrixTile.ts';
import { portableVariants } from './portable.ts';
import type { Fusion, Variant, VariantFamily } from './variants.ts';
import type { WeightPart } from './weights.ts';

/** How a workgroup of the decode kernel shares its columns and inputs. */
export interface RowShape {
  lanes: number;
  slices: number;
  /** Columns of a thread. */
  columns: number;
  /** Leave subgroups unused: the kernel that runs everywhere. */
  plain?: boolean;
}

/** From this many rows on a tile is faster than rows. */
const tileFromRows = 9;

// Few columns a workgroup keep all cores busy with small matrices; several a thread load inputs less often.
const rowShapes: readonly RowShape[] = [
  { lanes: 32, slices: 8, columns: 1, plain: true },
  { lanes: 16, slices: 16, columns: 1 },
  { lanes: 8, slices: 32, columns: 1 },
  { lanes: 8, slices: 32, columns: 2 },
  { lanes: 8, slices: 64, columns: 2 },
  { lanes: 4, slices: 64, columns: 2 },
];

export function rowVariant(device: Device, { lanes, slices, columns, plain = false }: RowShape, rows: number, fromRows: number): Variant {
  const { subgroupLanes, limits } = device.facts;
  const threads = lanes * slices;
  const subgroups = !plain && subgroupLanes > 0 && threads % subgroupLanes === 0 ? threads / subgroupLanes : 0;
  const fold = subgroups > 0 && subgroupLanes % lanes === 0 ? subgroupLanes / lanes : 1;
  const partials = (ownColumns: number, norm: boolean): number => Math.max((threads / fold) * rows * ownColumns, norm ? subgroups || threads : 0);
  const kernel = (part: WeightPart, ownColumns: number, { norm, gate }: Fusion, inputs: number): Promise<Kernel> =>
    device.kernels.get({
      label: 'matmul_workgroup_row',
      texts: gate ? [matmulWeights, activationText, matmulWorkgroupRow] : [matmulWeights, matmulWorkgroupRow],
      enables: subgroups > 0 ? ['subgroups'] : [],
      constants: {
        ...formatConstants(part.format, part.tileColumns, part.texture),
        ROWS: rows,
        LANES: lanes,
        SLICES: slices,
        COLUMNS: ownColumns,
        SUBGROUPS: subgroups,
        FOLD: fold,
        PARTIALS: partials(ownColumns, norm),
        NORM: norm,
        GATED: gate !== null,
        ...(gate ? { GELU: gate === 'gelu-tanh' } : {}),
        ...(norm ? { INPUT_QUADS: inputs / 4 } : {}),
      },
    });
  return {
    name: `matmul_workgroup_row, ${rows} rows × ${lanes}×${columns} columns × ${slices} slices${subgroups > 0 ? ', subgroups' : ''}`,
    fromRows,
    kernel: (part, inputs) => kernel(part, columns, { norm: false, gate: null }, inputs),
    fuses: { norm: true, gate: true },
    fused: (part, inputs, fusion) => {
      // A thread's columns are pairs of a gate and what it lets through.
      const ownColumns = fusion.gate ? Math.max(2, columns) : columns;
      const bytes = 4 * partials(ownColumns, fusion.norm) + (fusion.norm ? 4 * inputs : 0);
      if (rows > 1 || bytes > limits.maxComputeWorkgroupStorageSize) return null;
      return { kernel: kernel(part, ownColumns, fusion, inputs), x: Math.ceil(part.outputs / (lanes * ownColumns)) };
    },
    workgroups: (outputs, stepRows) => ({ x: Math.ceil(outputs / (lanes * columns)), y: Math.ceil(stepRows / rows) }),
  };
}

/** Candidates for one row, the plain one that runs everywhere first. */
export function rowCandidates(device: Device): Variant[] {
  const { maxComputeInvocationsPerWorkgroup: most } = device.facts.limits;
  return rowShapes.filter(({ lanes, slices }) => lanes * slices <= most).map((shape) => rowVariant(device, shape, 1, 1));
}

/** Candidates for many rows, the plain one that runs everywhere first; with `all`, those that only a sweep measures, too. */
export function tileCandidates(device: Device, all = false): Variant[] {
  const plain: Variant = {
    name: 'matmul_workgroup_tile, 64 rows × 64 columns',
    fromRows: tileFromRows,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_workgroup_tile',
        texts: [matmulWeights, matmulWorkgroupTile],
        constants: formatConstants(part.format, part.tileColumns, part.texture),
      }),
    workgroups: (outputs, rows) => ({ x: Math.ceil(outputs / 64), y: Math.ceil(rows / 64) }),
  };
  return [plain, ...matrixTiles(device, all).map((tile) => matrixVariant(device, tile, tileFromRows))];
}

/** Which matrices are multiplied alike: by how their weights are stored and, for one row, by how many outputs they have. */
export type MatrixClass = 'narrow' | 'wide';
export const narrowOutputs = 6144;

export interface Preferences {
  row(codes: WeightFormat['codes'], size: MatrixClass): Variant | undefined;
  tile(codes: WeightFormat['codes']): Variant | undefined;
  /** Whether a row's norm and gate are done by the product. */
  fuses: boolean;
}

export function workgroupFamily(device: Device, preferences?: Preferences): VariantFamily {
  const [plainRow] = rowCandidates(device);
  const [plainTile] = tileCandidates(device);
  const few = rowVariant(device, rowShapes[0], 4, 2);
  const variantsFor = ({ inputs, outputs }: LinearShape, { codes }: WeightFormat): readonly Variant[] => {
    if (inputs % blockWeights !== 0) return portableVariants(device);
    const row = preferences?.row(codes, outputs > narrowOutputs ? 'wide' : 'narrow') ?? plainRow;
    return [preferences?.fuses ? row : { ...row, fuses: undefined }, few, preferences?.tile(codes) ?? plainTile];
  };
  const four: WeightFormat = { codes: 'u4', scales: 'f16', scaleBlock: 32, zeroPoint: 8 };
  return {
    name: 'workgroup',
    layout: { tileColumns: 64, texture: null },
    variantsFor,
    describe: () => {
      const [decode, small, prefill] = variantsFor({ inputs: 4096, outputs: 4096 }, four);
      return { decode: decode.name, 'small batch': small.name, prefill: prefill.name };
    },
  };
}
