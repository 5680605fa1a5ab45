/** Reading on GPUs whose subgroups multiply matrices: the tiles worth trying (attention_matrix.wgsl). */
import halvesText from '../../../shaders/attention_halves.wgsl';
import matrixText from '../../../shaders/attention_matrix.wgsl';
import type { Device, MatrixShape } from '../../device/device.ts';
import { attentionSource, type AttentionVariant, type KeysRead } from './variants.ts';

export interface FlashTile {
  subgroups: number;
  /** Fragments of queries of a subgroup, one below the other. */
  rowFragments: number;
  /** Keys of a block. */
  keys: number;
  /** What is staged next is on its way in registers while a block is multiplied. */
  prefetch?: boolean;
  /** Values are multiplied together with the keys of the block after them, which takes fewer barriers. */
  late?: boolean;
}

/**
 * What a first start measures; every one takes a driver a second or two to compile. On an H200 the first was the fastest for
 * heads of 64 dimensions, the second for heads of 128. Without the barriers within a subgroup both were up to an eighth faster
 * (bench/results), but nothing promises that lanes run in step.
 */
const tiles: readonly FlashTile[] = [
  { subgroups: 4, rowFragments: 1, keys: 32, prefetch: true },
  { subgroups: 8, rowFragments: 1, keys: 32, prefetch: true, late: true },
  { subgroups: 4, rowFragments: 2, keys: 32 },
];

/** What a measurement at length tries (bench/attentionSweep.ts): first the plain ways and the most promising. */
export const sweptTiles: readonly FlashTile[] = [
  { subgroups: 4, rowFragments: 2, keys: 32 },
  { subgroups: 4, rowFragments: 1, keys: 32 },
  { subgroups: 4, rowFragments: 1, keys: 64 },
  { subgroups: 4, rowFragments: 1, keys: 32, prefetch: true },
  { subgroups: 4, rowFragments: 1, keys: 32, prefetch: true, late: true },
  { subgroups: 8, rowFragments: 1, keys: 32, prefetch: true, late: true },
  // What each of those is worth alone.
  { subgroups: 4, rowFragments: 1, keys: 32, late: true },
  { subgroups: 8, rowFragments: 1, keys: 32, prefetch: true },
  { subgroups: 8, rowFragments: 1, keys: 32, late: true },
  // Longer blocks: fewer barriers, and each is staged by more loads at once.
  { subgroups: 4, rowFragments: 1, keys: 48, prefetch: true },
  { subgroups: 4, rowFragments: 1, keys: 48, prefetch: true, late: true },
  { subgroups: 4, rowFragments: 1, keys: 64, prefetch: true },
  { subgroups: 4, rowFragments: 1, keys: 64, prefetch: true, late: true },
  // Two fragments share what they load of keys and values, but their sums fill half of the registers.
  { subgroups: 4, rowFragments: 2, keys: 32, prefetch: true },
  { subgroups: 4, rowFragments: 2, keys: 32, prefetch: true, late: true },
];

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
  const { rows, chunk, perRow, workgroupBytes } = sizesOf(headDim, lanes, tile, shape);
  return (
    lanes > 0 &&
    !listed &&
    !weighed &&
    [depth, columns].every((divisor) => headDim % divisor === 0 && tile.keys % divisor === 0) &&
    ((rows * chunk) / 4) % lanes === 0 &&
    (lanes % rows === 0 || rows % lanes === 0) &&
    tile.keys % (8 * perRow) === 0 &&
    tile.subgroups * lanes <= limits.maxComputeInvocationsPerWorkgroup &&
    workgroupBytes <= limits.maxComputeWorkgroupStorageSize
  );
}

function sizesOf(headDim: number, lanes: number, { subgroups, rowFragments, keys }: FlashTile, shape: MatrixShape) {
  const rows = shape.rows * rowFragments;
  const queries = subgroups * rows;
  // Fragments of all queries and sums of a row must fit the registers.
  const keepsQueries = headDim * rowFragments <= 256;
  const vectorBytes = 2 * headDim + 16;
  const stagedBytes = (2 * keys + (keepsQueries ? 0 : queries)) * vectorBytes;
  // Scores, weights and two factors.
  const rowBytes = 4 * keys + 16 + 2 * keys + 16 + 8;
  return {
    rows,
    queries,
    keepsQueries,
    perRow: Math.max(1, lanes / rows),
    chunk: largestChunk(headDim, shape.columns, keys),
    queryChunk: largestChunk(headDim, shape.depth, 2 * keys),
    workgroupBytes: stagedBytes + queries * rowBytes + 4 * subgroups,
  };
}

/** Of a head's dimensions, in whole fragments, `most` at most: so many that all chunks are equal. */
function largestChunk(headDim: number, fragment: number, most: number): number {
  const fragments = headDim / fragment;
  const counts = Array.from({ length: Math.floor(fragments) }, (_, i) => fragments - i);
  return fragment * (counts.find((count) => fragments % count === 0 && count * fragment <= most) ?? 1);
}

/** What sets tiles of the same size apart. */
function waysOf({ prefetch, late }: FlashTile): string {
  return `${prefetch ? ', prefetched' : ''}${late ? ', values late' : ''}`;
}

function flashVariant(device: Device, keys: KeysRead, tile: FlashTile, shape: MatrixShape): AttentionVariant {
  const { headDim } = keys;
  const lanes = device.facts.subgroupLanes;
  const { rows, queries, keepsQueries, perRow, chunk, queryChunk } = sizesOf(headDim, lanes, tile, shape);
  const threads = tile.subgroups * lanes;
  const stagedPieces = (tile.keys * headDim) / 8;
  return {
    name: `attention_matrix, ${queries} queries × ${tile.keys} keys, ${tile.subgroups} subgroups of ${shape.rows}×${shape.columns}×${shape.depth}${waysOf(tile)}`,
    queriesAtOnce: queries,
    splits: { workgroups: 256, keys: 512 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_matrix',
          text: `${halvesText}\n${matrixText}`,
          wide: true,
          enables: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
          diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
          constants: {
            PREFETCH: tile.prefetch ?? false,
            LATE: tile.late ?? false,
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
            QUERY_CHUNK: queryChunk,
            QUERY_CHUNKS: headDim / queryChunk,
            QUERY_CHUNK_STEPS: queryChunk / shape.depth,
            DIM_STEPS: headDim / shape.depth,
            KEY_COLUMNS: tile.keys / shape.columns,
            KEY_STEPS: tile.keys / shape.depth,
            CHUNKS: headDim / chunk,
            CHUNK_COLUMNS: chunk / shape.columns,
            OWN: (rows * chunk) / 4 / lanes,
            PER_ROW: perRow,
            OWN_ROWS: Math.max(1, rows / lanes),
            EIGHTS: tile.keys / 8 / perRow,
            PIECES: Math.ceil(stagedPieces / threads),
            UNEVEN: stagedPieces % threads !== 0,
          },
        }),
      ),
  };
}
