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
  /** Whether rows come through workgroup memory. */
  staged: boolean;
  /** Whether workgroup memory has two buffers, which take turns. */
  double: boolean;
}

/** Inputs whose products add up in f16 before the sums go on in f32. */
const halfSumInputs = 256;

/** `rows` and `columns` of a subgroup. */
interface Grid extends Pick<MatrixTile, 'subgroups' | 'blocks' | 'staged' | 'double'> {
  rows: number;
  columns: number;
}
const square = { rows: 2, columns: 2 };

// Every tile takes a driver seconds to compile at the first start. On an H200 the first was the fastest where sums are in
// f32, the second where they are in f16 (bench/results).
const grids: readonly Grid[] = [
  { subgroups: square, rows: 64, columns: 64, blocks: 2, staged: true, double: false },
  { subgroups: { rows: 4, columns: 2 }, rows: 32, columns: 64, blocks: 2, staged: true, double: false },
];

/** What a sweep measures beside them. */
const otherGrids: readonly Grid[] = [
  { subgroups: square, rows: 64, columns: 64, blocks: 2, staged: false, double: false },
  { subgroups: square, rows: 64, columns: 32, blocks: 2, staged: false, double: false },
  { subgroups: square, rows: 64, columns: 64, blocks: 1, staged: true, double: true },
  { subgroups: { rows: 2, columns: 4 }, rows: 64, columns: 32, blocks: 2, staged: true, double: false },
  { subgroups: { rows: 2, columns: 4 }, rows: 64, columns: 32, blocks: 1, staged: true, double: true },
  { subgroups: { rows: 4, columns: 2 }, rows: 64, columns: 64, blocks: 1, staged: true, double: false },
  { subgroups: square, rows: 64, columns: 32, blocks: 2, staged: true, double: false },
  { subgroups: square, rows: 64, columns: 64, blocks: 1, staged: true, double: false },
];

/** Tiles that fit the adapter, the most promising first; with `all`, those that were not worth a start's time, too. */
export function matrixTiles(device: Device, all = false): MatrixTile[] {
  const { matrixShapes, subgroupLanes, limits } = device.facts;
  const deepest = Math.max(...matrixShapes.map(({ depth }) => depth));
  const shapes = matrixShapes.filter(({ depth }) => depth === deepest && 32 % depth === 0);
  const tiles = (all ? [...grids, ...otherGrids] : grids).flatMap(({ rows, columns, ...grid }) =>
    shapes.flatMap((shape) =>
      rows % shape.rows === 0 && columns % shape.columns === 0
        ? [{ ...grid, shape, fragments: { rows: rows / shape.rows, columns: columns / shape.columns } }]
        : [],
    ),
  );
  return tiles.filter((tile) => {
    const threads = threadsOf(tile, subgroupLanes);
    return subgroupLanes > 0 && threads <= limits.maxComputeInvocationsPerWorkgroup && workgroupBytes(tile) <= limits.maxComputeWorkgroupStorageSize;
  });
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
  const { shape, subgroups, blocks, staged, double } = tile;
  const { rows, columns } = sizesOf(tile);
  const stagedRows = (staged ? rows : 0) + columns;
  const sums = subgroups.rows * subgroups.columns * shape.rows * shape.columns * spanFragments(tile);
  return (double ? 2 : 1) * 2 * stagedRows * (32 * blocks + 8) + (shape.sum === 'f16' ? 2 : 4) * sums;
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
  const ways = [`${32 * tile.blocks} inputs`, ...(tile.staged ? ['staged rows'] : []), ...(tile.double ? ['two buffers'] : [])];
  return {
    name: `matmul_matrix_tile, ${size.rows} rows × ${size.columns} columns, ${subgroups.rows}×${subgroups.columns} subgroups, ${ways.join(', ')}, ${shape.rows}×${shape.columns}×${shape.depth} into ${shape.sum}`,
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
          STAGED: tile.staged,
          DOUBLE: tile.double,
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
