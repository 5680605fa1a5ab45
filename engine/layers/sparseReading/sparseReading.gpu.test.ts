import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { KvCache } from '../../kv/cache.ts';
import { attend, attendRange, mergePartials } from '../../reference/attention.ts';
import { blockImportance, blocksToRead, keyMeans, sampleOf } from '../../reference/sparseReading.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { fillCache, largestDifference, randomProblem, type ProblemShape, runStep } from '../attention/testing.ts';
import { StepUniform } from '../step.ts';
import { bindBlockChoice, ChoiceNumbers, ChoiceScratch, sampledRows } from './blockChoice.ts';
import { allocateKeyMeans, bindKeyMeans, blocksOf, keyMeansBytes, MeansProgress } from './keyMeans.ts';
import { bindResidentReading, ResidentReading, rowsAtOnce } from './residentReading.ts';
import { type BlockShares, blockShares, blockTokens, ReadingTally, recentTokens } from './sparseReading.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});

type Problem = ReturnType<typeof randomProblem>;

const vectorsOf = ({ keys, kvHeads, headDim }: Problem, kvHead: number, tokens: number): Float32Array[] => Array.from({ length: tokens }, (_, token) => keys.subarray((token * kvHeads + kvHead) * headDim, (token * kvHeads + kvHead + 1) * headDim));

/** Queries of the sampled rows of [first, first + rows) of a key-value head's group. */
function sampledQueries({ queries, heads, kvHeads, headDim }: Problem, kvHead: number, first: number, rows: number): Float32Array[] {
  const group = heads / kvHeads;
  return sampleOf(rows, sampledRows(rows)).flatMap((row) => Array.from({ length: group }, (_, i) => queries.subarray(((first + row) * heads + kvHead * group + i) * headDim, ((first + row) * heads + kvHead * group + i + 1) * headDim)));
}

describe.each([
  { seed: 1, heads: 4, kvHeads: 2, headDim: 32, tokens: 1000, rows: 40, share: 0.25, queryScale: 1 },
  { seed: 2, heads: 3, kvHeads: 1, headDim: 64, tokens: 64, rows: 1, share: 0.5, queryScale: 1 },
  { seed: 3, heads: 2, kvHeads: 2, headDim: 80, tokens: 4500, rows: 128, share: 0.1, queryScale: 30 },
  { seed: 4, heads: 8, kvHeads: 2, headDim: 32, tokens: 129, rows: 7, share: 1, queryScale: 1 },
  { seed: 5, heads: 2, kvHeads: 1, headDim: 8, tokens: 20_000, rows: 500, share: 0.02, queryScale: 300 },
])('$tokens keys of $kvHeads heads, $rows rows, share $share', ({ tokens, rows, share, ...shape }) => {
  const { kvHeads, headDim } = shape;
  test.each(['f32', 'f16'] as const)('means of %s keys, and the choice by them, are those of the reference', async (format) => {
    const problem = randomProblem({ ...shape, rows, position: tokens - rows, window: null, half: format === 'f16' });
    const layout = { format, kvHeads, headDim, capacitySlots: tokens + 3 };
    const cache = new KvCache(device, 'test', layout, null);
    fillCache(device, cache.keys, layout, problem.keys, 0, tokens);
    const means = allocateKeyMeans(device, layout, tokens, 'test');
    const building = await bindKeyMeans(device, { layout, keys: cache.keys, means, contextTokens: tokens });
    const scratch = new ChoiceScratch(device, shape, { contextTokens: tokens, maxRows: rows });
    const numbers = new ChoiceNumbers(device);
    const choice = await bindBlockChoice(device, { ...shape, queries: upload(device, problem.queries), means, scratch, numbers });
    const blocks = Math.floor(tokens / blockTokens);
    const shares = blockShares({ share, fromTokens: 0 }, tokens, blocks);
    numbers.write(rows, shares);
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    building.encode(pass, 0, blocks);
    choice.encode(pass, rows, shares);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const stored = new Float16Array(await readback.read(means, 0, keyMeansBytes(layout, tokens)));
    const list = await readback.words(scratch.list, 0, kvHeads * scratch.blocks);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const exact = keyMeans(vectorsOf(problem, kvHead, blocks * blockTokens));
      const own = exact.map((_, number) => Float64Array.from(stored.subarray((kvHead * blocksOf(tokens) * 4 + number) * headDim, (kvHead * blocksOf(tokens) * 4 + number + 1) * headDim)));
      expect(largestDifference(own.flatMap((mean) => [...mean]), exact.flatMap((mean) => [...mean]))).toBeLessThan(1e-3);
      // By the means as they are stored, so that only the arithmetic differs.
      const importance = blockImportance(sampledQueries(problem, kvHead, 0, rows), own, blocks);
      const actual = [...list.subarray(kvHead * scratch.blocks, kvHead * scratch.blocks + shares.read)];
      expect(actual).toEqual(actual.toSorted((a, b) => a - b));
      expectAsGood(actual, shares, importance);
    }
    cache.free();
    scratch.free();
  });
});

/** The same blocks, but for those whose importance differs by no more than single precision can tell. */
function expectAsGood(actual: readonly number[], shares: BlockShares, importance: readonly number[]): void {
  const expected = blocksToRead(shares, importance);
  expect(actual.length).toBe(expected.length);
  expect(new Set(actual).size).toBe(actual.length);
  const least = Math.min(...expected.filter((block) => block > 0 && block < shares.nearBlock).map((block) => importance[block]));
  for (const block of expected.filter((one) => !actual.includes(one))) expect(importance[block]).toBeLessThanOrEqual(least * 1.0001 + 1e-9);
  for (const block of actual.filter((one) => !expected.includes(one))) expect(importance[block]).toBeGreaterThanOrEqual(least * 0.9999 - 1e-9);
}

async function readSparsely(shape: ProblemShape, share: number, format: 'f32' | 'f16', keyScale = 1): Promise<{ problem: Problem; actual: Float32Array; tally: ReturnType<ReadingTally['take']> }> {
  const { heads, kvHeads, headDim, rows, position } = shape;
  const random = randomProblem({ ...shape, half: format === 'f16' });
  const problem = { ...random, keys: random.keys.map((x) => x * keyScale) };
  const tokens = position + rows;
  const layout = { format, kvHeads, headDim, capacitySlots: tokens + 5 };
  const cache = new KvCache(device, 'test', layout, null);
  fillCache(device, cache.keys, layout, problem.keys, 0, tokens);
  fillCache(device, cache.values, layout, problem.values, 0, tokens);
  const context = new ResidentReading(device, { share, fromTokens: 0 }, { ...shape, format }, { contextTokens: tokens, maxRows: Math.max(rows, 2) });
  const output = upload(device, new Float32Array(Math.max(rows, 2) * heads * headDim).fill(NaN));
  const queries = upload(device, new Float32Array(Math.max(rows, 2) * heads * headDim));
  device.gpu.queue.writeBuffer(queries, 0, problem.queries as Float32Array<ArrayBuffer>);
  const bound = await bindResidentReading(device, context, { heads, kvHeads, headDim, queries, output, cache });
  const uniform = new StepUniform(device);
  const actual = await runStep(device, bound, uniform, { rows, position, sparse: true }, output, rows * heads * headDim);
  const tally = context.tally.take();
  for (const one of [bound, context, cache, uniform]) one.free();
  return { problem, actual, tally };
}

// One size of heads: a kernel of another takes a software adapter long to compile.
describe.each([
  { seed: 11, heads: 4, kvHeads: 2, headDim: 64, rows: 70, position: 1500, window: null },
  { seed: 12, heads: 3, kvHeads: 3, headDim: 64, rows: 300, position: 777, window: null, queryScale: 40 },
  { seed: 13, heads: 6, kvHeads: 2, headDim: 64, rows: 130, position: 0, window: null },
  { seed: 14, heads: 2, kvHeads: 1, headDim: 64, rows: 2, position: 383, window: null, queryScale: 5 },
])('$rows rows from $position', (shape) => {
  test.each(['f32', 'f16'] as const)('with all blocks chosen it is attention to everything, %s', async (format) => {
    const { problem, actual, tally } = await readSparsely(shape, 1, format);
    expect(largestDifference(actual, attend(problem))).toBeLessThan(1e-4);
    expect(tally).toEqual({ rows: shape.rows, skippedShare: 0 });
  });

  test('with few it is attention to the chosen blocks, the first, and what is near', async () => {
    const { problem, actual, tally } = await readSparsely(shape, 0.2, 'f32');
    const { heads, kvHeads, headDim, rows, position } = shape;
    let skipped = 0;
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      const blocks = Math.floor(Math.max(0, position + first - recentTokens) / blockTokens);
      const shares = blockShares({ share: 0.2, fromTokens: 0 }, position + first, blocks);
      skipped += count * (blocks - shares.read);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const means = keyMeans(vectorsOf(problem, kvHead, blocks * blockTokens)).map((mean) => mean.map((x) => Math.fround(x)));
        const chosen = blocksToRead(shares, blockImportance(sampledQueries(problem, kvHead, first, count), means, blocks));
        for (let row = first; row < first + count; row++) {
          for (let head = (kvHead * heads) / kvHeads; head < ((kvHead + 1) * heads) / kvHeads; head++) {
            const parts = [...chosen.map((block) => attendRange(problem, row, head, block * blockTokens, (block + 1) * blockTokens)), attendRange(problem, row, head, blocks * blockTokens, position + row + 1)];
            const at = (row * heads + head) * headDim;
            expect(largestDifference(actual.subarray(at, at + headDim), mergePartials(parts).output), `row ${row}, head ${head}`).toBeLessThan(1e-4);
          }
        }
      }
    }
    expect(tally.rows).toBe(rows);
    expect(tally.skippedShare > 0).toBe(skipped > 0);
  });
});

test('huge logits leave finite results', async () => {
  const { problem, actual } = await readSparsely({ seed: 21, heads: 2, kvHeads: 1, headDim: 64, rows: 40, position: 900, window: null, queryScale: 300 }, 1, 'f32', 50);
  expect(largestDifference(actual, attend(problem))).toBeLessThan(2e-3);
});

test('blocks that are certainly read, chosen and skipped are all there are', () => {
  const reading = { share: 0.25, fromTokens: 0 };
  expect(blockShares(reading, 0, 0)).toEqual({ blocks: 0, nearBlock: 0, wanted: 0, read: 0 });
  expect(blockShares(reading, 320, 1)).toEqual({ blocks: 1, nearBlock: 1, wanted: 0, read: 1 });
  // 1000 tokens: blocks 0 to 14 end before; those from token 744 on are near.
  expect(blockShares(reading, 1000, 15)).toEqual({ blocks: 15, nearBlock: 11, wanted: 3, read: 8 });
  expect(blockShares({ ...reading, share: 1 }, 1000, 15).read).toBe(15);
});

test('means are made again of keys that were written again', () => {
  const progress = new MeansProgress();
  expect(progress.upTo(5)).toEqual({ first: 0, count: 5 });
  progress.noteStep(400);
  expect(progress.upTo(6)).toEqual({ first: 5, count: 1 });
  progress.noteStep(200);
  expect(progress.upTo(4)).toEqual({ first: 3, count: 1 });
  expect(progress.upTo(2)).toEqual({ first: 2, count: 0 });
  progress.noteFilled();
  expect(progress.upTo(2)).toEqual({ first: 0, count: 2 });
});
