/**
 * Products of rows with the experts that they chose, straight from the stacked quantised weights: only the chosen experts
 * are read. Few rows go pair by pair; many are grouped by expert first, so that an expert is read once for a tile of them.
 */
import rowText from '../../../shaders/experts_row.wgsl';
import subgroupRowText from '../../../shaders/experts_subgroup_row.wgsl';
import subgroupTileText from '../../../shaders/experts_subgroup_tile.wgsl';
import tileText from '../../../shaders/experts_tile.wgsl';
import matmulRowSums from '../../../shaders/matmul_row_sums.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import { type Dispatch, encodeDispatch, type Kernel } from '../../device/kernel.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { blockWeights, formatConstants } from '../linear/format.ts';
import type { LinearWeights } from '../linear/linear.ts';
import { rowSumsConstants } from '../linear/subgroup.ts';
import { bindingsOf, type WeightPart } from '../linear/weights.ts';
import { type Bound, type KernelFamily, sharedUniform } from '../pointwise/bound.ts';
import type { Step } from '../step.ts';
import { tileCount } from './tiles.ts';

export interface ExpertProductBinding {
  /** f32 [rows][inputs], or [rows · chosen][inputs] with `pairsPerInput` 1. */
  input: GPUBuffer;
  /** f32 [rows · chosen][outputStride], written from `outputOffset` on. */
  output: GPUBuffer;
  outputOffset?: number;
  outputStride: number;
  /** Pairs that share a row of the input: `chosen`, or 1. */
  pairsPerInput: number;
  experts: number;
  chosen: number;
  /** u32 [rows][chosen]. */
  choice: GPUBuffer;
  order: GPUBuffer;
  tiles: GPUBuffer;
}

/** The shapes of the kernels that suit an adapter. */
export interface ExpertKernels {
  /** `subgroup`: a workgroup is one subgroup of 4 or 8 lanes, for adapters that compute on the processor. */
  family: KernelFamily;
  /** Pairs of a tile. */
  tileRows: number;
  /** Rows from which pairs are grouped: `order` and `tiles` must be there. */
  fromRows: number;
}

export function expertKernels(device: Device, family: KernelFamily): ExpertKernels {
  if (family === 'workgroup') return { family, tileRows: 32, fromRows: 9 };
  return { family, tileRows: device.facts.subgroupLanes * subgroupTiles[device.facts.subgroupLanes].rowGroups, fromRows: 5 };
}

export function expertKernelsFor(device: Device): ExpertKernels {
  const { kind, subgroupLanes } = device.facts;
  return expertKernels(device, kind === 'software' && subgroupLanes in subgroupTiles ? 'subgroup' : 'workgroup');
}

/** As for dense products of as many lanes. */
const subgroupTiles: Record<number, { columns: number; rowGroups: number; byComponent: boolean }> = {
  4: { columns: 8, rowGroups: 2, byComponent: false },
  8: { columns: 4, rowGroups: 1, byComponent: true },
};

export async function bindExpertProduct(device: Device, weights: LinearWeights, io: ExpertProductBinding, kernels = expertKernelsFor(device)): Promise<Bound> {
  const { inputs, outputs } = weights.shape;
  const { experts, chosen } = io;
  if (inputs % blockWeights !== 0) throw new RangeError(`experts of ${inputs} inputs are not supported: they must be a multiple of ${blockWeights}`);
  const columns = outputs / experts;
  const parts = await Promise.all(weights.parts.map((part) => bindPart(device, weights, part, columns, io, kernels)));
  return {
    encode(pass, step) {
      const many = step.rows >= kernels.fromRows;
      const y = many ? tileCount(step.rows, { experts, chosen }, kernels.tileRows) : step.rows * chosen;
      for (const part of parts) {
        const { dispatch, columnsPerGroup } = many ? part.many : part.few;
        encodeDispatch(pass, dispatch, Math.ceil(columns / columnsPerGroup), y);
      }
    },
  };
}

interface ExpertDispatch {
  dispatch: Dispatch;
  columnsPerGroup: number;
}

async function bindPart(
  device: Device,
  weights: LinearWeights,
  part: WeightPart,
  columns: number,
  io: ExpertProductBinding,
  { family }: ExpertKernels,
): Promise<{ few: ExpertDispatch; many: ExpertDispatch }> {
  const [few, many] = await Promise.all(family === 'workgroup' ? workgroupKernels(device, part) : subgroupKernels(device, part));
  const shape = weights.shapeUniform([
    weights.shape.inputs,
    part.outputs,
    part.blocks,
    io.outputOffset ?? 0,
    io.outputStride,
    0,
    { float: part.format.zeroPoint },
    part.firstOutput,
    { float: 1 },
    { float: 0 },
  ]);
  const uniform = sharedUniform(device, 'expert product shape', [columns, io.pairsPerInput]);
  const [codes, scales = null] = bindingsOf(part);
  const common = [shape, null, io.input, io.output, codes, scales, uniform];
  return {
    few: { dispatch: { kernel: few.kernel, bindings: few.kernel.bind(...common, io.choice) }, columnsPerGroup: few.columnsPerGroup },
    many: { dispatch: { kernel: many.kernel, bindings: many.kernel.bind(...common, io.order, io.tiles) }, columnsPerGroup: many.columnsPerGroup },
  };
}

type SizedKernel = Promise<{ kernel: Kernel; columnsPerGroup: number }>;

function workgroupKernels(device: Device, part: WeightPart): [SizedKernel, SizedKernel] {
  const format = formatConstants(part.format, part.tileColumns, part.texture);
  const get = async (label: string, text: string, columnsPerGroup: number, constants: ShaderConstants): SizedKernel => ({
    kernel: await device.kernels.get({ label, texts: [matmulWeights, text], constants: { ...format, ...constants } }),
    columnsPerGroup,
  });
  return [get('experts_row', rowText, 32, { COLUMNS: 32, SLICES: 8 }), get('experts_tile', tileText, 64, {})];
}

function subgroupKernels(device: Device, part: WeightPart): [SizedKernel, SizedKernel] {
  const lanes = device.facts.subgroupLanes;
  const sums = rowSumsConstants(part.format, lanes);
  const rowColumns = Number(sums['COLUMNS']);
  const tile = subgroupTiles[lanes];
  const format = formatConstants(part.format, part.tileColumns, part.texture);
  const get = async (label: string, texts: readonly string[], columns: number, constants: ShaderConstants): SizedKernel => ({
    kernel: await device.kernels.get({
      label,
      texts: [matmulWeights, ...texts],
      constants: { ...format, LANES: lanes, FOUR_LANES: lanes === 4, COLUMNS: columns, ...constants },
      enables: ['subgroups'],
    }),
    columnsPerGroup: lanes * columns,
  });
  return [
    get('experts_subgroup_row', [matmulRowSums, subgroupRowText], rowColumns, { ...sums, MATRICES: 1 }),
    get('experts_subgroup_tile', [subgroupTileText], tile.columns, { ROW_GROUPS: tile.rowGroups, BY_COMPONENT: tile.byComponent }),
  ];
}

/** What a product with chosen experts has to do at the least: read each chosen expert once. */
export function expertWork(weights: { shape: { outputs: number; inputs: number }; sizeBytes: number }, { experts, chosen }: { experts: number; chosen: number }) {
  const { outputs, inputs } = weights.shape;
  const columns = outputs / experts;
  return ({ rows }: Step) => {
    const pairs = rows * chosen;
    return { flops: 2 * pairs * columns * inputs, bytes: (Math.min(experts, pairs) / experts) * weights.sizeBytes + 4 * pairs * (inputs + columns) };
  };
}
