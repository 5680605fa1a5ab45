/** Reading on GPUs whose subgroups multiply matrices: the tiles worth trying (attention_matrix.wgsl). */
import matrixText from '../../../shaders/attention_matrix.wgsl';
import type { Device, MatrixShape } from '../../device/device.ts';
import { attentionSource, type AttentionVariant, type KeysRead } from './variants.ts';

export interface FlashTile {
  subgroups: number;
  /** Fragments of queries of a subgroup, one below the other. */
  rowFragments: number;
  /** Keys of a block. */
  keys: number;
}

/**
 * The most promising first; every one takes a driver seconds to compile. On an H200 loading fragments directly from the
 * cache took twice as long, and two subgroups with two fragments computed something else.
 */
const tiles: readonly FlashTile[] = [
  { subgroups: 4, rowFragments: 2, keys: 32 },
  { subgroups: 4, rowFragments: 1, keys: 32 },
  { subgroups: 4, rowFragments: 1, keys: 64 },
];

/** What a measurement at length tries (bench/attentionSweep.ts). */
export const sweptTiles = tiles;

export function flashVariants(device: Device, keys: KeysRead, tried: readonly FlashTile[] = tiles): AttentionVariant[] {
  return tried.flatMap((tile) => shapesOf(device).filter((shape) => suits(device, keys, tile, shape)).map((shape) => flashVariant(device, keys, tile, shape)));
}

/** Shapes that add up in f32; those of half the depth only where there is nothing else. */
function shapesOf(device: Device): MatrixShape[] {
  const all = device.facts.matrixShapes.filter(({ sum }) => sum === 'f32');
  const deepest = Math.max(0, ...all.map(({ depth }) => depth));
  return all.filter(({ depth }) => depth === deepest);
}

function suits(device: Device, { headDim, listed, weighed }: KeysRead, tile: FlashTile, shape: MatrixShape): boolean {
  const { limits, subgroupLanes: lanes } = device.facts;
  const { columns, depth } = shape;
  const sizes = sizesOf(headDim, tile, shape);
  return (
    lanes > 0 &&
    !listed &&
    !weighed &&
    [depth, columns].every((divisor) => headDim % divisor === 0 && tile.keys % divisor === 0) &&
    (sizes.rows * sizes.chunk) % lanes === 0 &&
    (lanes % sizes.rows === 0 || sizes.rows % lanes === 0) &&
    tile.subgroups * lanes <= limits.maxComputeInvocationsPerWorkgroup &&
    sizes.workgroupBytes <= limits.maxComputeWorkgroupStorageSize
  );
}

function sizesOf(headDim: number, { subgroups, rowFragments, keys }: FlashTile, shape: MatrixShape) {
  const rows = shape.rows * rowFragments;
  const queries = subgroups * rows;
  const pitch = headDim + 8;
  // Fragments of all queries and sums of a row must fit the registers.
  const keepsQueries = headDim * rowFragments <= 256;
  const queryHalves = queries * pitch;
  const blockHalves = 2 * keys * pitch;
  const staged = keepsQueries ? Math.max(queryHalves, blockHalves) : queryHalves + blockHalves;
  const fragments = headDim / shape.columns;
  const chunkFragments = Array.from({ length: fragments }, (_, i) => fragments - i).find((count) => fragments % count === 0 && count * shape.columns <= keys) ?? 1;
  const workgroupBytes = 2 * staged + 4 * queries * (keys + 4) + 2 * queries * (keys + 8) + 8 * queries + 4 * subgroups;
  return { rows, queries, keepsQueries, keysAt: keepsQueries ? 0 : queryHalves, staged, chunk: chunkFragments * shape.columns, workgroupBytes };
}

function flashVariant(device: Device, keys: KeysRead, tile: FlashTile, shape: MatrixShape): AttentionVariant {
  const { headDim } = keys;
  const lanes = device.facts.subgroupLanes;
  const { rows, queries, keepsQueries, keysAt, staged, chunk } = sizesOf(headDim, tile, shape);
  return {
    name: `attention_matrix, ${queries} queries × ${tile.keys} keys, ${tile.subgroups} subgroups of ${shape.rows}×${shape.columns}×${shape.depth}`,
    queriesAtOnce: queries,
    splits: { workgroups: 256, keys: 512 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_matrix',
          text: matrixText,
          mixed: 'f32',
          enables: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
          diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
          constants: {
            KEEP_QUERIES: keepsQueries,
            M: shape.rows,
            N: shape.columns,
            K: shape.depth,
            LANES: lanes,
            SUBGROUPS: tile.subgroups,
            ROW_FRAGMENTS: tile.rowFragments,
            ROWS: rows,
            DIMS: headDim,
            KEYS: tile.keys,
            CHUNK: chunk,
            DIM_STEPS: headDim / shape.depth,
            KEY_COLUMNS: tile.keys / shape.columns,
            KEY_STEPS: tile.keys / shape.depth,
            CHUNKS: headDim / chunk,
            CHUNK_COLUMNS: chunk / shape.columns,
            OWN: (rows * chunk) / lanes,
            PER_ROW: Math.max(1, lanes / rows),
            OWN_ROWS: Math.max(1, rows / lanes),
            STAGED: staged,
            KEYS_AT: keysAt,
          },
        }),
      ),
  };
}
