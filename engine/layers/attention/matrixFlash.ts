/** Reading on GPUs whose subgroups multiply matrices: the tiles worth trying (attention_matrix.wgsl). */
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import matrixText from '../../../shaders/attention_matrix.wgsl';
import type { Device, MatrixShape } from '../../device/device.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';

export interface FlashTile {
  subgroups: number;
  /** Fragments of queries of a subgroup, one below the other. */
  rowFragments: number;
  /** Keys of a block. */
  keys: number;
  /** Fragments load keys and values where they lie. */
  direct: boolean;
  /** `lazy`: fragments keep the sums of all blocks; otherwise those of a block, in which format. */
  sums: 'lazy' | 'f32' | 'f16';
}

/** The most promising first; every one takes a driver seconds to compile. Staging was twice as fast as loading directly. */
const tiles: readonly FlashTile[] = [
  { subgroups: 4, rowFragments: 2, keys: 32, direct: false, sums: 'lazy' },
  { subgroups: 2, rowFragments: 2, keys: 32, direct: false, sums: 'lazy' },
  { subgroups: 4, rowFragments: 1, keys: 32, direct: false, sums: 'lazy' },
  { subgroups: 4, rowFragments: 1, keys: 64, direct: false, sums: 'lazy' },
  { subgroups: 4, rowFragments: 1, keys: 64, direct: true, sums: 'lazy' },
];

export function flashVariants(device: Device, keys: KeysRead): AttentionVariant[] {
  return variantsOf(device, keys, tiles, { workgroups: 256, keys: 512 });
}

function variantsOf(device: Device, keys: KeysRead, tried: readonly FlashTile[], splits: AttentionVariant['splits']): AttentionVariant[] {
  return tried.flatMap((tile) => shapesOf(device).filter((shape) => suits(device, keys, tile, shape)).map((shape) => flashVariant(device, keys, tile, shape, splits)));
}

/** Shapes that add up in f32; those of half the depth only where there is nothing else. */
function shapesOf(device: Device): MatrixShape[] {
  const all = device.facts.matrixShapes.filter(({ sum }) => sum === 'f32');
  const deepest = Math.max(0, ...all.map(({ depth }) => depth));
  return all.filter(({ depth }) => depth === deepest);
}

function suits(device: Device, { format, headDim, capacitySlots, listed, weighed }: KeysRead, tile: FlashTile, shape: MatrixShape): boolean {
  const { matrixShapes, limits, subgroupLanes: lanes } = device.facts;
  const { rows, columns, depth } = shape;
  const halfSums = matrixShapes.some((one) => one.sum === 'f16' && one.rows === rows && one.columns === columns && one.depth === depth);
  const sizes = sizesOf(device, headDim, tile, shape);
  return (
    lanes > 0 &&
    !listed &&
    !weighed &&
    (tile.sums !== 'f16' || halfSums) &&
    (!tile.direct || (format === 'f16' && capacitySlots % tile.keys === 0)) &&
    [depth, columns].every((divisor) => headDim % divisor === 0 && tile.keys % divisor === 0) &&
    (sizes.rows * sizes.chunk) % lanes === 0 &&
    (lanes % sizes.rows === 0 || sizes.rows % lanes === 0) &&
    tile.subgroups * lanes <= limits.maxComputeInvocationsPerWorkgroup &&
    sizes.workgroupBytes <= limits.maxComputeWorkgroupStorageSize
  );
}

function sizesOf(device: Device, headDim: number, { subgroups, rowFragments, keys, direct }: FlashTile, shape: MatrixShape) {
  const rows = shape.rows * rowFragments;
  const queries = subgroups * rows;
  const pitch = headDim + 8;
  // Fragments of all queries and sums of a row must fit the registers.
  const keepsQueries = headDim * rowFragments <= 256;
  const queryHalves = queries * pitch;
  const blockHalves = direct ? 0 : 2 * keys * pitch;
  const staged = keepsQueries ? Math.max(queryHalves, blockHalves) : queryHalves + blockHalves;
  const fragments = headDim / shape.columns;
  const chunkFragments = Array.from({ length: fragments }, (_, i) => fragments - i).find((count) => fragments % count === 0 && count * shape.columns <= keys) ?? 1;
  const workgroupBytes = 2 * staged + 4 * queries * (keys + 4) + 2 * queries * (keys + 8) + 8 * queries + 4 * subgroups;
  return { rows, queries, keepsQueries, keysAt: keepsQueries ? 0 : queryHalves, staged, chunk: chunkFragments * shape.columns, workgroupBytes };
}

function flashVariant(device: Device, keys: KeysRead, tile: FlashTile, shape: MatrixShape, splits: AttentionVariant['splits']): AttentionVariant {
  const { headDim, format } = keys;
  const lanes = device.facts.subgroupLanes;
  const { rows, queries, keepsQueries, keysAt, staged, chunk } = sizesOf(device, headDim, tile, shape);
  const eightBit = format === 'q8';
  return {
    name: `attention_matrix, ${queries} queries × ${tile.keys} keys, ${tile.subgroups} subgroups of ${shape.rows}×${shape.columns}×${shape.depth}, ${tile.direct ? 'direct' : 'staged'}, sums ${tile.sums}`,
    queriesAtOnce: queries,
    splits,
    kernel: () =>
      device.kernels.get({
        label: 'attention_matrix',
        texts: tile.direct ? [matrixText] : [eightBit ? eightBitText : loadText, matrixText],
        enables: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
        diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
        aliases: { Mix: tile.sums === 'f16' ? 'f16' : 'f32' },
        constants: {
          HALF_CACHE: format === 'f16',
          EIGHT_BIT: eightBit,
          WIDE: false,
          FUSED: true,
          CAUSAL: keys.causal,
          PARTIAL: keys.partial,
          DIRECT: tile.direct,
          LAZY: tile.sums === 'lazy',
          MIX_HALF: tile.sums === 'f16',
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
          VECTOR_UNITS: eightBit ? eightBitRecordWords(headDim) : headDim / 4,
        },
      }),
  };
}
