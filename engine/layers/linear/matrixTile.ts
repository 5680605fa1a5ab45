/** Prefill kernels for adapters whose subgroups multiply matrices (tensor cores): the tiles worth trying. */
import matmulMatrixTile from '../../../shaders/matmul_matrix_tile.wgsl';
import matmulWeights from '../../../shaders/matmul_weights.wgsl';
import type { Device, MatrixShape } from '../../device/device.ts';
import { formatConstants } from './format.ts';
import { halfRowsGranularity } from './halves.ts';
import type { Variant } from './variants.ts';

export interface MatrixTile {
  shape: MatrixShape;
  /** Subgroups of a workgroup, down and across. */
  subgroups: { rows: number; columns: number };
  /** Fragments of a subgroup, down and across. */
  fragments: { rows: number; columns: number };
  /** Blocks of 32 inputs a step, where the inputs are a multiple of that. */
  blocks: 1 | 2;
}

/** Inputs whose products add up in f16 before the sums go on in f32. */
const halfSumInputs = 256;

/** `rows` and `columns` of a subgroup. */
interface Grid extends Pick<MatrixTile, 'subgroups'> {
  rows: number;
  columns: number;
}

// Every tile takes a driver seconds to compile at the first start. On an H200 the first was the fastest where sums are in
// f32, the second where they are in f16 (bench/results).
const grids: readonly Grid[] = [
  { subgroups: { rows: 2, columns: 2 }, rows: 64, columns: 64 },
  { subgroups: { rows: 4, columns: 2 }, rows: 32, columns: 64 },
];

/** What a sweep measures beside them. */
const otherGrids: readonly Grid[] = [
  { subgroups: { rows: 2, columns: 2 }, rows: 64, columns: 32 },
  { subgroups: { rows: 2, columns: 4 }, rows: 64, columns: 32 },
  { subgroups: { rows: 4, columns: 2 }, rows: 64, columns: 64 },
];

/**
 * Tiles that fit the adapter, the most promising first, each with as many inputs a step as its workgroup memory holds; with
 * `all`, those that were not worth a start's time, too.
 */
export function matrixTiles(device: Device, all = false): MatrixTile[] {
  const { matrixShapes, subgroupLanes, limits } = device.facts;
  if (subgroupLanes === 0) return [];
  const deepest = Math.max(...matrixShapes.map(({ depth }) => depth));
  const shapes = matrixShapes.filter(({ depth }) => depth === deepest && 32 % depth === 0);
  const fits = (tile: MatrixTile): boolean =>
    threadsOf(tile, subgroupLanes) <= limits.maxComputeInvocationsPerWorkgroup && workgroupBytes(tile) <= limits.maxComputeWorkgroupStorageSize;
  return (all ? [...grids, ...otherGrids] : grids).flatMap(({ subgroups, rows, columns }) =>
    shapes.flatMap((shape) => {
      if (rows % shape.rows !== 0 || columns % shape.columns !== 0) return [];
      const tile = { subgroups, shape, fragments: { rows: rows / shape.rows, columns: columns / shape.columns } };
      return ([2, 1] as const).map((blocks) => ({ ...tile, blocks })).filter(fits).slice(0, 1);
    }),
  );
}

function threadsOf({ subgroups }: MatrixTile, lanes: number): number {
  return subgroups.rows * subgroups.columns * lanes;
}

function sizesOf({ shape, subgroups, fragments }: MatrixTile) {
  return { rows: subgroups.rows * fragments.rows * shape.rows, columns: subgroups.columns * fragments.columns * shape.columns };
}

/** Fragments whose sums leave together: 32 columns are a line of the cache. */
function spanFragments({ shape, fragments }: MatrixTile): number {
  const wanted = Math.max(1, 32 / shape.columns);
  return fragments.columns % wanted === 0 ? wanted : 1;
}

function workgroupBytes(tile: MatrixTile): number {
  const { shape, subgroups, blocks } = tile;
  const { rows, columns } = sizesOf(tile);
  const sums = subgroups.rows * subgroups.columns * shape.rows * shape.columns * spanFragments(tile);
  return 2 * (rows + columns) * (32 * blocks + 8) + (shape.sum === 'f16' ? 2 : 4) * sums;
}

/** For inputs that are a multiple of 32. */
export function matrixVariant(device: Device, tile: MatrixTile, fromRows: number): Variant {
  const { shape, subgroups, fragments } = tile;
  const size = sizesOf(tile);
  if (halfRowsGranularity % size.rows !== 0) throw new RangeError(`tiles of ${size.rows} rows`);
  const lanes = device.facts.subgroupLanes;
  const count = subgroups.rows * subgroups.columns;
  const threads = threadsOf(tile, lanes);
  const span = spanFragments(tile);
  return {
    name: `matmul_matrix_tile, ${size.rows} rows × ${size.columns} columns, ${subgroups.rows}×${subgroups.columns} subgroups, ${32 * tile.blocks} inputs, ${shape.rows}×${shape.columns}×${shape.depth} into ${shape.sum}`,
    fromRows,
    halvesOfRows: size.rows,
    kernel: (part) => {
      const blocks = part.blocks % tile.blocks === 0 ? tile.blocks : 1;
      return device.kernels.get({
        label: 'matmul_matrix_tile',
        texts: [matmulWeights, matmulMatrixTile],
        enables: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
        diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
        aliases: { Sum: shape.sum },
        constants: {
          ...formatConstants(part.format, part.tileColumns, part.texture),
          M: shape.rows,
          N: shape.columns,
          K: shape.depth,
          LANES: lanes,
          SUBGROUP_COLUMNS: subgroups.columns,
          ROW_FRAGMENTS: fragments.rows,
          COLUMN_FRAGMENTS: fragments.columns,
          TILE_ROWS: size.rows,
          TILE_COLUMNS: size.columns,
          THREADS: threads,
          SUBGROUPS: count,
          BLOCKS: blocks,
          STEPS: (32 * blocks) / shape.depth,
          ITEMS: Math.ceil((size.columns * blocks) / threads),
          OCTETS: (size.rows * blocks * 4) / threads,
          SPAN_FRAGMENTS: span,
          SPANS: fragments.columns / span,
          SUM_HALF: shape.sum === 'f16',
          SUM_STEPS: halfSumInputs / (32 * blocks),
          OWN: (shape.rows * shape.columns * span) / lanes,
        },
      });
    },
    workgroups: (outputs, rows) => ({ x: Math.ceil(rows / size.rows), y: Math.ceil(outputs / size.columns) }),
  };
}
