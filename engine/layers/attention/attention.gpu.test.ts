import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { type AttentionProblem, attend } from '../../reference/attention.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { StepUniform } from '../step.ts';
import { bindAttention } from './attention.ts';
import { usesLanes } from './lanes.ts';
import { keysOf } from './variants.ts';
import { attentionRivals, measureAttention, plainKernels } from './choice.ts';
import { chooseKvFormat, type KvLayout } from './layout.ts';
import { flashVariants, sweptTiles } from './matrixFlash.ts';
import type { AttentionKernels, KeysRead } from './variants.ts';
import { fillCache, largestDifference, type ProblemShape, randomProblem, runStep } from './testing.ts';

/** A kernel for rows alone and one for more, or lanes, which do both. */
type Tried = AttentionKernels | 'lanes';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

const nameOf = (tried: Tried): string => (tried === 'lanes' ? tried : `${tried.decode.name}; ${tried.read.name}`);

/** Everything that the adapter can run for such keys, what it uses first. Kernels of one list are tried beside those of the other. */
function triedFor(keys: KeysRead): Tried[] {
  // The processor compiles each for a second, and rivals of a kernel differ in numbers only.
  const most = device.facts.kind === 'gpu' ? Infinity : 3;
  const all = attentionRivals(device, keys);
  const [decode, read] = [all.decode.slice(0, most), all.read.slice(0, most)];
  const pairs = Array.from({ length: Math.max(decode.length, read.length) }, (_, i) => ({ decode: decode[Math.min(i, decode.length - 1)], read: read[Math.min(i, read.length - 1)] }));
  return usesLanes(device) ? ['lanes', ...pairs] : pairs;
}

async function run(problem: AttentionProblem, format: KvLayout['format'], kernel: Tried, capacitySlots?: number, rowsAtOnce = problem.rows) {
  const { heads, kvHeads, headDim, rows, position, window } = problem;
  const tokens = position + rows;
  const layout: KvLayout = { format, kvHeads, headDim, capacitySlots: capacitySlots ?? tokens };
  const cacheBytes = kvHeads * layout.capacitySlots * headDim * 4;
  const keys = device.memory.storage('kv', 'keys', cacheBytes);
  const values = device.memory.storage('kv', 'values', cacheBytes);
  const queries = device.memory.storage('activations', 'queries', rowsAtOnce * heads * headDim * 4);
  const output = device.memory.storage('activations', 'output', rowsAtOnce * heads * headDim * 4);
  const uniform = new StepUniform(device);
  const bound = await bindAttention(
    device,
    { queries, keys, values, output, layout, heads, window, step: uniform.buffer, maxRows: rowsAtOnce, contextTokens: tokens },
    kernel,
  );
  const result = new Float32Array(rows * heads * headDim);
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const end = position + row + count;
    fillCache(device, keys, layout, problem.keys, Math.max(0, end - layout.capacitySlots), end);
    fillCache(device, values, layout, problem.values, Math.max(0, end - layout.capacitySlots), end);
    const part = problem.queries.subarray(row * heads * headDim, (row + count) * heads * headDim);
    device.gpu.queue.writeBuffer(queries, 0, part as Float32Array<ArrayBuffer>);
    result.set(await runStep(device, bound, uniform, { rows: count, position: position + row }, output, part.length), row * heads * headDim);
  }
  for (const buffer of [keys, values, queries, output, uniform.buffer]) device.memory.free(buffer);
  return result;
}

/** Halves round to 11 bits: queries, keys, values and weights each. */
const toleranceOf = (tried: Tried, rows: number): number => (tried !== 'lanes' && rows > 1 && tried.read.name.startsWith('attention_matrix') ? 6e-3 : 2e-5);

/**
 * Every kernel that the adapter supports against the reference. Each (kernel, format, head dimensions)
 * is a shader of its own and compiles for seconds on a software adapter, so the kernel and format that
 * the adapter uses are tested with all dimensions, the others with 64.
 */
async function check(shape: ProblemShape, options: { capacitySlots?: number; rowsAtOnce?: number; tolerance?: number } = {}) {
  const usual = chooseKvFormat(device);
  const alone = shape.rows === 1 || options.rowsAtOnce === 1;
  for (const format of ['f32', 'f16'] as const) {
    const problem = randomProblem({ ...shape, half: format === 'f16' });
    const expected = attend(problem);
    const layout: KvLayout = { format, kvHeads: shape.kvHeads, headDim: shape.headDim, capacitySlots: options.capacitySlots ?? shape.position + shape.rows };
    const seen = new Set<string>();
    for (const [index, tried] of triedFor(keysOf(layout, shape.heads)).entries()) {
      if (shape.headDim !== 64 && (index > 0 || format !== usual)) continue;
      // Only one of a pair runs.
      const runs = tried === 'lanes' ? tried : alone ? tried.decode.name : tried.read.name;
      if (seen.has(runs)) continue;
      seen.add(runs);
      const actual = await run(problem, format, tried, options.capacitySlots, options.rowsAtOnce);
      const what = `${runs} ${format} ${JSON.stringify(shape)} ${JSON.stringify(options)}`;
      const tolerance = Math.max(options.tolerance ?? 0, toleranceOf(tried, alone ? 1 : shape.rows) * (shape.queryScale ? 40 : 1));
      expect(largestDifference(actual, expected), what).toBeLessThan(tolerance);
    }
  }
}

const smol = { heads: 9, kvHeads: 3, headDim: 64, window: null };
const gemma = { heads: 4, kvHeads: 1, headDim: 256, window: null };

describe('attention', () => {
  test.each([64, 80, 96, 128, 256])('head dimensions %i', async (headDim) => {
    await check({ heads: 4, kvHeads: 2, headDim, rows: 5, position: 3, window: null, seed: headDim });
    await check({ heads: 4, kvHeads: 2, headDim, rows: 1, position: 30, window: null, seed: headDim });
  });

  test('every kernel with slices of keys that do not fill the workgroup', async () => {
    for (const rows of [1, 9]) {
      const problem = randomProblem({ heads: 2, kvHeads: 1, headDim: 80, rows, position: 70, window: null, seed: 8 });
      for (const tried of triedFor(keysOf({ format: 'f32', kvHeads: 1, headDim: 80, capacitySlots: 70 + rows }, 2))) {
        expect(largestDifference(await run(problem, 'f32', tried), attend(problem)), nameOf(tried)).toBeLessThan(toleranceOf(tried, rows));
      }
    }
  });

  test.each([1, 2, 7, 8, 15, 16, 17, 33, 64])('%i rows', async (rows) => {
    await check({ ...smol, rows, position: 0, seed: rows });
    await check({ ...smol, rows, position: 61, seed: rows });
  });

  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [5, 1],
    [8, 1],
    [14, 2],
    [4, 4],
  ])('%i heads share %i key-value heads', async (heads, kvHeads) => {
    await check({ heads, kvHeads, headDim: 64, rows: 9, position: 20, window: null, seed: heads });
    await check({ heads, kvHeads, headDim: 64, rows: 1, position: 40, window: null, seed: heads });
  });

  test.each([0, 1, 6, 7, 63, 64, 255, 256, 257, 1023, 3001])('one query after %i tokens', async (position) => {
    await check({ ...smol, rows: 1, position, seed: position });
  });

  test('Gemma: four heads of 256 over one', async () => {
    await check({ ...gemma, rows: 1, position: 700, seed: 1 });
    await check({ ...gemma, rows: 19, position: 130, seed: 2 });
  });

  test.each([1, 2, 5, 64, 100])('a window of %i tokens', async (window) => {
    await check({ ...smol, window, rows: 21, position: 0, seed: window });
    await check({ ...smol, window, rows: 21, position: 150, seed: window });
    await check({ ...smol, window, rows: 1, position: 150, seed: window });
  });

  test('a ring wraps around', async () => {
    for (const position of [0, 60, 75, 79, 200]) {
      await check({ ...smol, window: 48, rows: 20, position, seed: position }, { capacitySlots: 67 });
      await check({ ...gemma, window: 48, rows: 1, position, seed: position }, { capacitySlots: 51 });
    }
  });

  test('caches of whole blocks, which fragments read where they lie', async () => {
    await check({ ...smol, rows: 33, position: 61, seed: 12 }, { capacitySlots: 128 });
    await check({ ...smol, window: 48, rows: 20, position: 200, seed: 13 }, { capacitySlots: 128 });
  });

  test.each([1, 7, 64])('in chunks of %i', async (rowsAtOnce) => {
    await check({ ...smol, rows: 90, position: 0, seed: 5 }, { rowsAtOnce });
    await check({ ...smol, window: 16, rows: 90, position: 0, seed: 5 }, { rowsAtOnce, capacitySlots: 16 + rowsAtOnce - 1 });
  });

  test('logits of ten thousand neither overflow nor hide the rest', async () => {
    // Scores reach ±1e4, where f32 scores differ from the reference by up to 1e-3.
    await check({ ...smol, rows: 1, position: 300, seed: 3, queryScale: 800 }, { tolerance: 2e-2 });
    await check({ ...smol, rows: 12, position: 300, seed: 3, queryScale: 800 }, { tolerance: 2e-2 });
  });

  test('identical keys give the mean of the values', async () => {
    const problem = randomProblem({ ...smol, rows: 3, position: 500, seed: 9 });
    problem.keys.fill(0.25);
    const expected = attend(problem);
    for (const tried of triedFor(keysOf({ format: 'f32', kvHeads: 3, headDim: 64, capacitySlots: 503 }, 9))) expect(largestDifference(await run(problem, 'f32', tried), expected)).toBeLessThan(toleranceOf(tried, 3));
  });

  test('rivals agree with the plain kernel when they are measured, and one that computes something else is out', async () => {
    const keys = keysOf({ format: 'f16', kvHeads: 2, headDim: 64, capacitySlots: 640 }, 32);
    const { decode } = attentionRivals(device, keys);
    // Sixteen heads share their keys, of which it computes eight.
    const lazy = { ...decode[0], name: 'lazy', queriesAtOnce: 64 };
    const results = await measureAttention(device, keys, [...decode.slice(0, 2), lazy], { rows: 1, position: 600 });
    expect(results.map(({ wrong }) => wrong === null)).toEqual([...decode.slice(0, 2).map(() => true), false]);
  });

  test('every way to attend by fragments of matrices', async () => {
    // The processor compiles a large tile for minutes; ways differ in what they do, not in how often.
    const software = device.facts.kind === 'software';
    const ways = software ? sweptTiles.map((tile) => ({ ...tile, subgroups: 2, rowFragments: 1, keys: 16 })) : sweptTiles;
    const headDim = software ? 16 : 128;
    const tried = new Map<string, number>();
    for (const shape of [
      { heads: 6, kvHeads: 2, rows: 37, position: 61, window: null, capacitySlots: 98 },
      { heads: 4, kvHeads: 2, rows: 20, position: 200, window: 48, capacitySlots: 67 },
      { heads: 4, kvHeads: 1, rows: 12, position: 300, window: null, capacitySlots: 312, queryScale: 20 },
    ]) {
      const problem = randomProblem({ ...shape, headDim, seed: shape.position, half: true });
      const expected = attend(problem);
      const keys = keysOf({ format: 'f16', kvHeads: shape.kvHeads, headDim, capacitySlots: shape.capacitySlots }, shape.heads);
      const { decode } = plainKernels(device, keys);
      const variants = new Map(flashVariants(device, keys, ways).map((read) => [read.name, read]));
      for (const [name, read] of variants) {
        const difference = largestDifference(await run(problem, 'f16', { decode, read }, shape.capacitySlots), expected);
        expect(difference, `${name} ${JSON.stringify(shape)}`).toBeLessThan(6e-3 * (shape.queryScale ? 5 : 1));
        tried.set(name, difference);
      }
    }
    if (device.facts.matrixShapes.length === 0) console.log('attention_matrix is not tested here: this adapter has no subgroup matrices.');
    else expect(tried.size).toBeGreaterThanOrEqual(4);
  }, 900_000);

  test('a shape that the cache cannot hold is refused', async () => {
    const buffer = upload(device, new Float32Array(64));
    const layout: KvLayout = { format: 'f32', kvHeads: 1, headDim: 64, capacitySlots: 8 };
    const io = { queries: buffer, keys: buffer, values: buffer, output: buffer, layout, heads: 1, step: buffer, maxRows: 2, contextTokens: 100 };
    await expect(bindAttention(device, { ...io, window: null })).rejects.toThrow('the cache has 8 slots where attention reads 100');
    await expect(bindAttention(device, { ...io, window: 8 })).rejects.toThrow('the cache has 8 slots where attention reads 9');
  });
});
