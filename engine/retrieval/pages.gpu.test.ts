import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { halfToFloat } from '../formats/half.ts';
import { randomFloats } from '../layers/attention/testing.ts';
import { dot } from '../reference/retrieval/clusters.ts';
import { pageBounds, type PageBounds, pageScores } from '../reference/retrieval/pages.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { type FarCase, farProblem, type FarProblem, runPass, TestRing, vectorsOf } from './clusterTesting.ts';
import { sinkTokens } from './layout.ts';
import { allocatePages, bindPageBuild, bindPageScores, type PageScoresKernel, pageTokens } from './pages.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

const usual: FarCase = { kind: 'topics', seed: 1, kvHeads: 2, headDim: 64, segmentTokens: 128, segments: 3, format: 'f32' };

/** The bounds that the GPU stored, by head, and their buffer; so many segments at a time. */
async function buildPages(problem: FarProblem, atOnce = 1): Promise<{ pages: GPUBuffer; stored: PageBounds[] }> {
  const { layout } = problem;
  const { kvHeads, headDim, capacityTokens } = layout;
  const pages = allocatePages(device, layout, { label: 'test' });
  const ring = new TestRing(device, problem);
  const build = await bindPageBuild(device, { layout, ring: problem.ring, keys: ring.keys, pages, segment: ring.segment.buffer });
  ring.eachSegment((pass, segments) => build.encode(pass, segments), atOnce);
  const pageCount = capacityTokens / pageTokens;
  const readback = new Readback(device);
  const words = await readback.words(pages, 0, kvHeads * pageCount * headDim);
  readback.free();
  ring.free();
  const half = (kvHead: number, shift: number): Float64Array[] =>
    Array.from({ length: pageCount }, (_, page) =>
      Float64Array.from({ length: headDim }, (_, i) => halfToFloat((words[(kvHead * pageCount + page) * headDim + i] >>> shift) & 0xffff)),
    );
  return { pages, stored: Array.from({ length: kvHeads }, (_, kvHead) => ({ minima: half(kvHead, 0), maxima: half(kvHead, 16) })) };
}

/** Bounds must hold, and be tight: at most one step of f16 away, or the least normal one. */
function checkBounds(stored: PageBounds, exact: PageBounds): void {
  const outside = (bound: number, value: number): number => (value - bound) / (2 ** -10 * Math.abs(value) + 2 ** -14);
  let [least, most] = [Infinity, -Infinity];
  stored.minima.forEach((_, page) => {
    for (let i = 0; i < stored.minima[page].length; i++) {
      const gaps = [outside(stored.minima[page][i], exact.minima[page][i]), outside(-stored.maxima[page][i], -exact.maxima[page][i])];
      least = Math.min(least, ...gaps);
      most = Math.max(most, ...gaps);
    }
  });
  expect(least).toBeGreaterThanOrEqual(0);
  expect(most).toBeLessThanOrEqual(1);
}

async function check(shape: FarCase, group: number, keyScale = 1, sealedSegments = shape.segments, kernel?: PageScoresKernel): Promise<void> {
  const original = farProblem(shape);
  const problem = { ...original, keys: original.keys.map((x) => x * keyScale) };
  const layout = { ...problem.layout, heads: shape.kvHeads * group };
  const { heads, headDim, capacityTokens, segmentTokens } = layout;
  const { pages, stored } = await buildPages(problem);
  const queries = randomFloats(heads * headDim, shape.seed + 5, 2);
  const buffers = { queries: upload(device, queries), scores: upload(device, new Float32Array(heads * capacityTokens).fill(77)) };
  const bound = await bindPageScores(device, { layout, ...buffers, pages }, kernel);
  const sealedTokens = sealedSegments * segmentTokens;
  runPass(device, (pass) => bound.encode(pass, sealedTokens));
  const readback = new Readback(device);
  const actual = await readback.floats(buffers.scores, 0, heads * capacityTokens);
  readback.free();
  for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
    const keys = vectorsOf(problem.keys, layout, kvHead, 0, capacityTokens);
    checkBounds(stored[kvHead], pageBounds(keys, pageTokens));
    const size = Math.max(...keys.map((key) => Math.max(...key.map(Math.abs))));
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const query = queries.subarray(head * headDim, (head + 1) * headDim);
      const expected = pageScores(query, stored[kvHead], pageTokens);
      const tolerance = 2e-6 * size * headDim;
      let [worst, shortfall] = [0, 0];
      for (let token = 0; token < capacityTokens; token++) {
        const score = actual[head * capacityTokens + token];
        if (token >= sealedTokens) expect(score).toBe(77);
        else if (token < sinkTokens) expect(score).toBe(Math.fround(-1e30));
        else {
          worst = Math.max(worst, Math.abs(score - expected[token]));
          shortfall = Math.max(shortfall, dot(query, keys[token]) - score);
        }
      }
      expect(worst).toBeLessThan(tolerance);
      expect(shortfall).toBeLessThan(tolerance);
    }
  }
  for (const buffer of [pages, ...Object.values(buffers)]) device.memory.free(buffer);
}

test.each([1, 2, 3])('bounds hold and scores follow from them, seed %i', async (seed) => {
  await check({ ...usual, seed }, seed);
  await check({ ...usual, seed, kind: 'noise', format: 'f16' }, 2);
});

test('keys near the ends of the range of f16, and identical ones', async () => {
  await check(usual, 2, 2 ** -16);
  await check({ ...usual, kind: 'noise' }, 2, 65000);
  await check({ ...usual, kind: 'identical' }, 2);
});

test('bounds of a ring of f16 are exact', async () => {
  const problem = farProblem({ ...usual, format: 'f16' });
  const { pages, stored } = await buildPages(problem);
  stored.forEach((bounds, kvHead) => {
    const exact = pageBounds(vectorsOf(problem.keys, problem.layout, kvHead, 0, problem.layout.capacityTokens), pageTokens);
    for (const side of ['minima', 'maxima'] as const) {
      exact[side].forEach((page, index) => page.forEach((x, i) => {
        if (Math.abs(x) >= 2 ** -14 && bounds[side][index][i] !== x) expect(bounds[side][index][i]).toBe(x);
      }));
    }
  });
  device.memory.free(pages);
});

test.each([80, 96, 128, 256])('%i dimensions', async (headDim) => {
  await check({ ...usual, headDim, kvHeads: 1, segmentTokens: 64 }, 4);
});

test.each(['shared', 'lone'] as const)('the %s kernel', async (kernel) => {
  await check({ ...usual, segmentTokens: 64 }, 3, 1, 2, kernel);
});

test('only sealed segments, and none', async () => {
  await check(usual, 1, 1, 2);
  await check(usual, 1, 1, 0);
});

test('several segments at once are bounded as one by one', async () => {
  const problem = farProblem({ ...usual, segments: 5 });
  problem.ring.capacitySlots = 3 * usual.segmentTokens + 5;
  const built = [await buildPages(problem), await buildPages(problem, 3)];
  expect(built[1].stored).toEqual(built[0].stored);
  for (const { pages } of built) device.memory.free(pages);
});
