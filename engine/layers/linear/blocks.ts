/**
 * Kernels of software adapters with four lanes (SwiftShader): one subgroup a workgroup, and loops over columns that fit an
 * instruction cache, with the inputs kept outside of them. Its compiler spills what lives long, and its loads go lane by lane.
 */
import matmulBlockRow from '../../../shaders/matmul_block_row.wgsl';
import matmulBlockTile from '../../../shaders/matmul_block_tile.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device } from '../../device/device.ts';
import type { ShaderConstants } from '../../device/shader.ts';
import { blockWeights, fieldsPerUnit, formatConstants, type Layout, unitsPerBlock, type WeightFormat } from './format.ts';
import { portableVariants } from './portable.ts';
import type { Variant, VariantFamily } from './variants.ts';
import type { WeightPart } from './weights.ts';

/** Groups of rows, a row a lane, of a tile. */
const tileGroups = 4;
/** A workgroup loads its inputs once: of fewer columns that would be much of its work. */
const leastColumns = 64;
/** More than SwiftShader makes tasks of a dispatch. */
const mostWorkgroups = 32;

/** Blocks of a lane that a row's loop takes at once: more do not fit the cache, as blocks of many units take more code. */
const rowGroupsOf: Record<number, number> = { 1: 6, 2: 5, 4: 2, 8: 1 };
const tileBlocks = (format: WeightFormat): number => (unitsPerBlock(format) <= 2 ? 3 : 2);

/** Evenly many in each of the chunks that a row takes. */
function rowGroups(part: WeightPart, lanes: number): number {
  const blocksOfLane = Math.ceil(part.blocks / lanes);
  return Math.ceil(blocksOfLane / Math.ceil(blocksOfLane / rowGroupsOf[unitsPerBlock(part.format)]));
}

const runsOf = (columns: number, others: number): number =>
  Math.max(1, Math.min(Math.ceil(columns / leastColumns), Math.ceil(mostWorkgroups / others)));

export function blocksFamily(device: Device): VariantFamily {
  const lanes = device.facts.subgroupLanes;
  // Blocks of a column lie close together, for lanes that each load one of them.
  const layout: Layout = { tileColumns: 8, texture: 'sampled' };
  const constants = (part: WeightPart): ShaderConstants => ({
    ...formatConstants(part.format, part.tileColumns, part.texture),
    FIELD_MASK: 2 ** (32 / fieldsPerUnit(part.format)) - 1,
    LANES: lanes,
  });
  const decode: Variant = {
    name: 'matmul_block_row',
    fromRows: 1,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_block_row',
        texts: [matmulWeights, matmulBlockRow],
        constants: { ...constants(part), GROUPS: rowGroups(part, lanes) },
        enables: ['subgroups'],
      }),
    workgroups: (outputs, rows) => ({ x: runsOf(outputs, rows), y: rows }),
  };
  const tileRows = lanes * tileGroups;
  const prefill: Variant = {
    name: 'matmul_block_tile',
    // A tile costs the same however few of its rows are used.
    fromRows: 6,
    kernel: (part) =>
      device.kernels.get({
        label: 'matmul_block_tile',
        texts: [matmulWeights, matmulBlockTile],
        constants: { ...constants(part), GROUPS: tileGroups, BLOCKS: tileBlocks(part.format) },
        enables: ['subgroups'],
      }),
    workgroups: (outputs, rows) => {
      const y = Math.ceil(rows / tileRows);
      return { x: runsOf(outputs, y), y };
    },
  };
  return {
    name: 'blocks sampled',
    layout,
    variantsFor: ({ inputs }) => (inputs % blockWeights === 0 ? [decode, prefill] : portableVariants(device)),
    describe: () => ({
      decode: `${decode.name}, ${lanes} lanes × blocks of ${blockWeights} inputs, f32 activations`,
      prefill: `${prefill.name}, ${tileRows} rows × ${tileBlocks({ codes: 'u4', scales: 'f16', scaleBlock: 32, zeroPoint: 8 })} blocks of ${blockWeights} inputs, f32 activations`,
    }),
  };
}
