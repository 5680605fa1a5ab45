import { expect, test } from 'vitest';
import type { Device, MatrixShape } from '../../device/device.ts';
import { matrixTiles } from './matrixTile.ts';

const shapesOf = (depth: number, ...columns: number[]): MatrixShape[] => columns.flatMap((count) => (['f16', 'f32'] as const).map((sum) => ({ rows: depth, columns: count, depth, sum })));

function adapter(matrixShapes: MatrixShape[], workgroupBytes: number, subgroupLanes = 32): Device {
  const limits = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: workgroupBytes };
  return { facts: { matrixShapes, subgroupLanes, limits } } as unknown as Device;
}

test.each([
  ['16×16×16 and 16×8×16, 48 KB', shapesOf(16, 16, 8), 49_152, 2],
  ['16×16×16 and 16×8×16, 32 KB', shapesOf(16, 16, 8), 32_768, 1],
  ['8×8×8, 32 KB', shapesOf(8, 8), 32_768, 1],
])('%s: tiles with as many inputs a step as there is room for, in both kinds of sums', (_, shapes, workgroupBytes, blocks) => {
  const tiles = matrixTiles(adapter(shapes, workgroupBytes));
  expect(new Set(tiles.map(({ shape }) => shape.sum))).toEqual(new Set(['f16', 'f32']));
  expect(tiles[0].blocks).toBe(blocks);
  expect(matrixTiles(adapter(shapes, workgroupBytes), true).length).toBeGreaterThan(tiles.length);
});

test('an adapter without such matrices, without subgroups or without room has none', () => {
  expect(matrixTiles(adapter([], 49_152))).toEqual([]);
  expect(matrixTiles(adapter(shapesOf(16, 16), 49_152, 0))).toEqual([]);
  expect(matrixTiles(adapter(shapesOf(16, 16), 16_384))).toEqual([]);
});
