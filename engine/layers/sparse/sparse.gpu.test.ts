import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { SparseCache } from '../../kv/sparseCache.ts';
import type { SparseSpec } from '../../models/sparseSpec.ts';
import { chosenBlocks, sparseRow } from '../../reference/sparse.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats, runStep } from '../attention/testing.ts';
import { StepUniform } from '../step.ts';
import { bindSparse } from './sparse.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'test', 4 * values);
const specOf = (shape: Pick<SparseSpec, 'heads' | 'kvHeads' | 'headDim' | 'blockTokens' | 'chosenBlocks' | 'windowTokens'>): SparseSpec => ({ ...shape, kind: 'sparse' }) as unknown as SparseSpec;

/** Puts tokens [begin, end) of [tokens][kvHeads · headDim] where the kernels look for them. */
function fill(buffer: GPUBuffer, { kvHeads, headDim }: SparseSpec, capacity: number, tokens: Float32Array<ArrayBuffer>, begin: number, end: number): void {
  for (let token = begin; token < end; token++) {
    for (let head = 0; head < kvHeads; head++) device.gpu.queue.writeBuffer(buffer, 4 * (head * capacity + token) * headDim, tokens, (token * kvHeads + head) * headDim, headDim);
  }
}

test.each([
  { heads: 2, kvHeads: 1, headDim: 8, blockTokens: 4, chosenBlocks: 4, windowTokens: 6, total: 70, scale: 1 },
  { heads: 6, kvHeads: 2, headDim: 36, blockTokens: 8, chosenBlocks: 3, windowTokens: 1, total: 60, scale: 1 },
  // All blocks are chosen, because shares of large logits vanish in single precision before they do in the reference.
  { heads: 4, kvHeads: 1, headDim: 64, blockTokens: 16, chosenBlocks: 4, windowTokens: 40, total: 64, scale: 40 },
  { heads: 4, kvHeads: 1, headDim: 64, blockTokens: 16, chosenBlocks: 4, windowTokens: 40, total: 110, scale: 4 },
  // More blocks than a tile has.
  { heads: 2, kvHeads: 2, headDim: 4, blockTokens: 2, chosenBlocks: 4, windowTokens: 9, total: 200, scale: 1 },
])('$heads heads, $chosenBlocks blocks of $blockTokens and a window of $windowTokens over $total tokens', async ({ total, scale, ...shape }) => {
  const spec = specOf(shape);
  const { heads, kvHeads, headDim } = spec;
  const [columns, kvColumns] = [heads * headDim, kvHeads * headDim];
  const queries = randomFloats(total * columns, 1, scale);
  const [keys, values] = [randomFloats(total * kvColumns, 2), randomFloats(total * kvColumns, 3)];
  const gates = randomFloats(total * 3 * heads, 4, 4);
  const row = (numbers: Float32Array, width: number, at: number): Float32Array => numbers.subarray(at * width, (at + 1) * width);
  const rows = (numbers: Float32Array, end: number): Float32Array[] => Array.from({ length: end }, (_, at) => row(numbers, kvColumns, at));
  const expected = Array.from({ length: total }, (_, at) => sparseRow(spec, row(queries, columns, at), rows(keys, at + 1), rows(values, at + 1), row(gates, 3 * heads, at)));
  for (const chunks of [[total], [1, 2, 30, total - 33], [...Array<number>(Math.floor(total / 5)).fill(5), total % 5].filter((count) => count > 0)]) {
    const cache = new SparseCache(device, 'test', spec, total + 3);
    const uniform = new StepUniform(device);
    const io = { importance: storage(total * kvHeads * cache.blocks), chosen: storage(total * kvHeads * spec.chosenBlocks), queries: storage(total * columns), output: storage(total * columns), gates: storage(total * 3 * heads) };
    const { means, overview, choose, attend } = await bindSparse(device, { ...io, spec, cache, step: uniform.buffer });
    const whole = { encode: (pass: GPUComputePassEncoder, step: { rows: number; position: number }) => [means, overview, choose, attend].forEach((one) => one.encode(pass, step)) };
    let position = 0;
    for (const count of chunks) {
      device.gpu.queue.writeBuffer(io.queries, 0, queries, position * columns, count * columns);
      device.gpu.queue.writeBuffer(io.gates, 0, gates, position * 3 * heads, count * 3 * heads);
      fill(cache.keys, spec, total + 3, keys, position, position + count);
      fill(cache.values, spec, total + 3, values, position, position + count);
      const actual = await runStep(device, whole, uniform, { rows: count, position }, io.output, count * columns);
      for (let at = 0; at < count; at++) expect(largestDifference(row(actual, columns, at), expected[position + at]), `${chunks.length} chunks, row ${position + at}`).toBeLessThan(3e-5);
      position += count;
    }
    cache.free();
  }
});

test('of equal blocks the earlier are chosen, and what is always chosen only once', () => {
  const shape = { blockTokens: 4, chosenBlocks: 5 };
  expect(chosenBlocks(shape, 2, [])).toEqual([0]);
  expect(chosenBlocks(shape, 6, [0.1])).toEqual([1, 0]);
  expect(chosenBlocks(shape, 30, [0, 0.2, 0.2, 0.2, 0.2, 0.1, 0.1])).toEqual([7, 6, 0, 1, 2]);
});

test('means are made of what is there now: after a cut, and after somebody else has filled the cache', () => {
  const spec = specOf({ heads: 1, kvHeads: 1, headDim: 8, blockTokens: 4, chosenBlocks: 3, windowTokens: 4 });
  const cache = new SparseCache(device, 'test', spec, 64);
  expect(cache.completed({ position: 0, rows: 10 })).toEqual({ first: 0, count: 2 });
  expect(cache.completed({ position: 10, rows: 1 })).toEqual({ first: 2, count: 0 });
  expect(cache.completed({ position: 11, rows: 1 })).toEqual({ first: 2, count: 1 });
  expect(cache.completed({ position: 5, rows: 8 })).toEqual({ first: 1, count: 2 });
  cache.noteFilled();
  expect(cache.completed({ position: 13, rows: 1 })).toEqual({ first: 0, count: 3 });
  cache.free();
});

test('heads that do not fit a workgroup are refused', async () => {
  const spec = specOf({ heads: 1, kvHeads: 1, headDim: 260, blockTokens: 4, chosenBlocks: 3, windowTokens: 4 });
  const buffer = upload(device, new Float32Array(4));
  const io = { importance: buffer, chosen: buffer, queries: buffer, output: buffer, gates: buffer, step: buffer };
  await expect(bindSparse(device, { ...io, spec, cache: new SparseCache(device, 'test', spec, 8) })).rejects.toThrow('heads of 260');
});
