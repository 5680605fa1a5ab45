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
}

/** Inputs whose products add up in f16 before the sums go on in f32. */
const halfSumInputs = 256;

// Every tile takes a driver seconds to compile at the first start; eight subgroups a workgroup, tiles of 64 × 64 and
// shallow fragments were never the fastest where they were measured (bench/results).
const grids = [
  { subgroups: { rows: 2, columns: 2 }, rows: 64, columns: 64 },
  { subgroups: { rows: 2, columns: 2 }, rows: 64, columns: 32 },
];

/** Tiles that fit the adapter, the most promising first. */
export function matrixTiles(device: Device): MatrixTile[] {
  const { matrixShapes, subgroupLanes, limits } = device.facts;
  const deepest = Math.max(...matrixShapes.map(({ depth }) => depth));
  const tiles = matrixShapes.flatMap((shape) =>
    grids.flatMap(({ subgroups, rows, columns }) =>
      shape.depth === deepest && rows % shape.rows === 0 && columns % shape.columns === 0
        ? [{ shape, subgroups, fragments: { rows: rows / shape.rows, columns: columns / shape.columns } }]
        : [],
    ),
  );
  return tiles.filter((tile) => {
    const { subgroups, shape } = tile;
    const threads = subgroups.rows * subgroups.columns * subgroupLanes;
    return subgroupLanes > 0 && 32 % shape.depth === 0 && threads <= limits.maxComputeInvocationsPerWorkgroup && workgroupBytes(tile, 2) <= limits.maxComputeWorkgroupStorageSize;
  });
}

function sizesOf({ shape, subgroups, fragments }: MatrixTile) {
  return { rows: subgroups.rows * fragments.rows * shape.rows, columns: subgroups.columns * fragments.columns * shape.columns };
}

function workgroupBytes(tile: MatrixTile, blocks: number): number {
  const { shape, subgroups, fragments } = tile;
  const staged = subgroups.rows * subgroups.columns * shape.rows * shape.columns * fragments.columns;
  return 2 * sizesOf(tile).columns * (32 * blocks + 8) + (shape.sum === 'f16' ? 2 : 4) * staged;
}

/** For inputs that are a multiple of 32. */
export function matrixVariant(device: Device, tile: MatrixTile, fromRows: number): Variant {
  const { shape, subgroups, fragments } = tile;
  const size = sizesOf(tile);
  if (halfRowsGranularity % size.rows !== 0) throw new RangeError(`tiles of ${size.rows} rows`);
  const lanes = device.facts.subgroupLanes;
  const count = subgroups.rows * subgroups.columns;
  return {
    name: `matmul_matrix_tile, ${size.rows} rows × ${size.columns} columns, ${count} subgroups of ${shape.rows}×${shape.columns}×${shape.depth} into ${shape.sum}`,
    fromRows,
    halvesOfRows: size.rows,
    kernel: (part) => {
      const blocks = part.blocks % 2 === 0 ? 2 : 1;
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
          THREADS: count * lanes,
          SUBGROUPS: count,
          BLOCKS: blocks,
          STEPS: (32 * blocks) / shape.depth,
          ITEMS: Math.ceil((size.columns * blocks) / (count * lanes)),
          SUM_HALF: shape.sum === 'f16',
          SUM_STEPS: halfSumInputs / (32 * blocks),
          OWN: (shape.rows * shape.columns * fragments.columns) / lanes,
        },
      });
    },
    workgroups: (outputs, rows) => ({ x: Math.ceil(rows / size.rows), y: Math.ceil(outputs / size.columns) }),
  };
}
