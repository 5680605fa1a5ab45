import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { randomNumbers } from '../layers/attention/testing.ts';
import { combinedLogWeights, type ScoreTable, selectHeaviest } from '../reference/retrieval/select.ts';
import { clusterSegment } from '../reference/retrieval/clusters.ts';
import { centresOf, estimateScores, sketchSegment } from '../reference/retrieval/sketch.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { buildIndex, type FarProblem, runPass } from './clusterTesting.ts';
import { Clusters } from './clusters.ts';
import { type FarLayout, sinkTokens } from './layout.ts';
import { dimensionWeights } from './dimensionWeights.ts';
import { Selection } from './select.ts';
import { Sketch } from './sketch.ts';
import { bindSketchSelect, type SketchSelectStep, SketchSelectScratch, sketchSelectScratchBytes } from './sketchSelect.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

interface Problem extends FarProblem {
  /** [head][headDim], already scaled. */
  queries: Float32Array;
}

/**
 * Keys as models make them: far from the origin, a few dimensions of which dominate, scattered around topics to
 * which some belong much more than others.
 * Queries lie elsewhere (on the other side of the origin) and look for one topic each, so that the nearest keys
 * of a key tell nothing about the nearest of a query.
 */
function clusteredProblem(layout: FarLayout, seed: number): Problem {
  const { heads, kvHeads, headDim, capacityTokens, segmentTokens } = layout;
  const uniform = randomNumbers(seed);
  for (let i = 0; i < 8; i++) uniform();
  const normal = (): number => Math.sqrt(-2 * Math.log((uniform() + 1) / 2 + 1e-9)) * Math.cos(Math.PI * uniform());
  const vector = (scale: number): Float64Array => Float64Array.from({ length: headDim }, () => scale * normal());
  const keys = new Float32Array(capacityTokens * kvHeads * headDim);
  const queries = new Float32Array(heads * headDim);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const offset = vector(2).map((x, i) => (i % 13 === 5 ? 8 * x : x));
    const topics = Array.from({ length: 40 }, () => vector(1));
    for (let token = 0; token < capacityTokens; token++) {
      // Texts stay with a topic for a while.
      const topic = topics[Math.floor((((token >> 4) * 0.618) % 1) * 40)];
      const belongs = 2.5 * ((uniform() + 1) / 2) ** 3;
      const own = vector(0.6);
      for (let i = 0; i < headDim; i++) keys[(token * kvHeads + kvHead) * headDim + i] = offset[i] + belongs * topic[i] + own[i];
    }
    const away = vector(1);
    for (let head = kvHead * (heads / kvHeads); head < (kvHead + 1) * (heads / kvHeads); head++) {
      const topic = topics[Math.floor(((uniform() + 1) / 2) * 40)];
      const own = vector(1);
      for (let i = 0; i < headDim; i++) queries[head * headDim + i] = (topic[i] + own[i] + away[i] - offset[i] / 4) * (1.5 / Math.sqrt(headDim));
    }
  }
  const ring: KvLayout = { format: 'f32', kvHeads, headDim, capacitySlots: segmentTokens + 64 };
  return { layout, ring, keys, values: keys, queries };
}

interface Run {
  tokens: number[][];
}

/** `dimensions` [headDim] weighs the keys' dimensions. */
async function run(problem: Problem, step: SketchSelectStep, dimensions?: Float32Array<ArrayBuffer>): Promise<Run> {
  const { layout, queries } = problem;
  const { kvHeads } = layout;
  const index = await buildIndex(device, problem, 1, dimensions);
  const before = device.memory.report().activationsBytes;
  const maxCandidates = Math.ceil(step.wanted * step.oversample);
  const scratch = new SketchSelectScratch(device, layout, { maxCandidates });
  // Uniform blocks apart (16 bytes each, a count for each head where it is stored), the scratch is what it says.
  const taken = device.memory.report().activationsBytes - before - sketchSelectScratchBytes(layout, { maxCandidates });
  expect(taken).toBeLessThanOrEqual(8 * 16 + 8 * kvHeads + 64);
  const selection = new Selection(device, layout, { maxSelected: step.wanted, label: 'test' });
  const queryBuffer = upload(device, queries);
  const bound = await bindSketchSelect(device, { layout, ...index, queries: queryBuffer, scratch, selection });
  scratch.write(step);
  // Twice in one pass, as layers follow each other: the scratch is as the first run left it.
  runPass(device, (pass) => {
    bound.encode(pass, step);
    bound.encode(pass, step);
  });
  const readback = new Readback(device);
  const counts = await readback.words(selection.counts, 0, kvHeads);
  const all = await readback.words(selection.tokens, 0, kvHeads * selection.maxSelected);
  readback.free();
  for (const part of [index, scratch, selection]) part.free();
  device.memory.free(queryBuffer);
  return { tokens: [...counts].map((count, kvHead) => [...all.subarray(kvHead * selection.maxSelected).subarray(0, count)]) };
}

/** Centroids of the reference's clusters, not rounded to 8 bits. */
function centresIn(flat: Float32Array, headDim: number, sinks: number): Float64Array[] {
  const keys = Array.from({ length: flat.length / headDim }, (_, token) => flat.subarray(token * headDim, (token + 1) * headDim));
  const { centroids, assignment } = clusterSegment(keys, keys, sinks);
  return centresOf(centroids, assignment);
}

/** Exact scores, or those that a reference sketch estimates from its first planes. */
function scoresOf({ layout, keys, queries }: Problem, planesRead?: number): ScoreTable {
  const { heads, kvHeads, headDim, capacityTokens, segmentTokens, planes } = layout;
  const scores = new Float32Array(heads * capacityTokens);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    for (let first = 0; first < capacityTokens; first += segmentTokens) {
      const flat = new Float32Array(segmentTokens * headDim);
      for (let i = 0; i < flat.length; i++) flat[i] = keys[((first + Math.floor(i / headDim)) * kvHeads + kvHead) * headDim + (i % headDim)];
      const segment = planesRead === undefined ? undefined : sketchSegment(flat, centresIn(flat, headDim, first === 0 ? sinkTokens : 0), planes);
      for (let head = kvHead * (heads / kvHeads); head < (kvHead + 1) * (heads / kvHeads); head++) {
        const query = queries.subarray(head * headDim, (head + 1) * headDim);
        const estimates = segment && estimateScores(query, segment, planes, planesRead ?? planes);
        for (let token = 0; token < segmentTokens; token++) {
          let score = estimates?.[token] ?? 0;
          if (!estimates) for (let i = 0; i < headDim; i++) score += query[i] * flat[token * headDim + i];
          scores[head * capacityTokens + first + token] = first + token < sinkTokens ? -1e30 : score;
        }
      }
    }
  }
  return { scores, heads, kvHeads, stride: capacityTokens, entries: capacityTokens };
}

const recall = (found: readonly number[], expected: readonly number[]): number => {
  const set = new Set(found);
  return expected.filter((token) => set.has(token)).length / expected.length;
};

describe('selection by the sketch', () => {
  test('finds what exact scores find', async () => {
    const recalls: Record<string, number[]> = {};
    for (const seed of [1]) {
      for (const [planes, scanPlanes, oversample] of [[1, 1, 1], [2, 2, 1], [4, 1, 8], [4, 2, 4], [4, 4, 1]] as const) {
        const layout: FarLayout = { heads: 4, kvHeads: 2, headDim: 64, segmentTokens: 512, capacityTokens: 2048, planes };
        const problem = clusteredProblem(layout, seed);
        const exact = scoresOf(problem);
        const wanted = Math.round(0.02 * layout.capacityTokens);
        const { tokens } = await run(problem, { sealedTokens: layout.capacityTokens, wanted, oversample, scanPlanes });
        for (let kvHead = 0; kvHead < layout.kvHeads; kvHead++) {
          expect(tokens[kvHead].length).toBe(wanted);
          expect(tokens[kvHead].every((token, i) => token >= sinkTokens && (i === 0 || tokens[kvHead][i - 1] < token))).toBe(true);
          (recalls[`${planes} planes, ${scanPlanes} scanned, ×${oversample}`] ??= []).push(recall(tokens[kvHead], selectHeaviest(combinedLogWeights(exact, kvHead), wanted)));
        }
      }
    }
    const means = Object.entries(recalls).map(([name, values]) => [name, values.reduce((a, b) => a + b, 0) / values.length] as const);
    for (const [name, mean] of means) console.log(`recall of the heaviest 2 %: ${name}: ${mean.toFixed(3)}`);
    const [one, two, oneThenFour, twoThenFour, four] = means.map(([, mean]) => mean);
    expect(one).toBeGreaterThan(0.65);
    expect(two).toBeGreaterThan(0.82);
    expect(four).toBeGreaterThan(0.95);
    expect(twoThenFour).toBeGreaterThan(0.95);
    expect(oneThenFour).toBeGreaterThan(0.95);
  });

  test('queries of unlike dimensions find more among keys that are weighed for them', async () => {
    const layout: FarLayout = { heads: 4, kvHeads: 2, headDim: 64, segmentTokens: 512, capacityTokens: 2048, planes: 2 };
    const uniform = randomNumbers(31);
    const gains = Float32Array.from({ length: layout.headDim }, () => Math.exp(2 * uniform()));
    const problem = clusteredProblem(layout, 6);
    problem.queries.forEach((x, i) => (problem.queries[i] = x * gains[i % layout.headDim]));
    const exact = scoresOf(problem);
    const wanted = 41;
    const found = async (dimensions?: Float32Array<ArrayBuffer>): Promise<number> => {
      const { tokens } = await run(problem, { sealedTokens: layout.capacityTokens, wanted, oversample: 1, scanPlanes: 2 }, dimensions);
      return tokens.reduce((sum, some, kvHead) => sum + recall(some, selectHeaviest(combinedLogWeights(exact, kvHead), wanted)), 0) / layout.kvHeads;
    };
    const [plain, weighed] = [await found(), await found(dimensionWeights(gains, { headDim: layout.headDim, rotatedDims: 0, pairing: 'halves' }))];
    console.log(`recall of the heaviest 2 % with unlike dimensions: ${plain.toFixed(3)}, weighed ${weighed.toFixed(3)}`);
    expect(weighed).toBeGreaterThan(plain + 0.03);
  });

  test('candidates and choice are those of the reference sketch', async () => {
    const layout: FarLayout = { heads: 6, kvHeads: 2, headDim: 80, segmentTokens: 128, capacityTokens: 512, planes: 4 };
    const problem = clusteredProblem(layout, 9);
    const wanted = 12;
    const { tokens } = await run(problem, { sealedTokens: 512, wanted, oversample: 5, scanPlanes: 2 });
    const coarse = scoresOf(problem, 2);
    const full = scoresOf(problem, 4);
    for (let kvHead = 0; kvHead < 2; kvHead++) {
      const candidates = selectHeaviest(combinedLogWeights(coarse, kvHead), wanted * 5);
      const listed = new Float32Array(full.scores.length).fill(-1e30);
      for (let head = 0; head < layout.heads; head++) for (const token of candidates) listed[head * full.stride + token] = full.scores[head * full.stride + token];
      const expected = selectHeaviest(combinedLogWeights({ ...full, scores: listed }, kvHead), wanted);
      // The query's 8 bits may exchange neighbours in rank.
      expect(recall(tokens[kvHead], expected)).toBeGreaterThanOrEqual((wanted - 1) / wanted);
    }
  });

  test('part of the capacity, all of it, none of it', async () => {
    const layout: FarLayout = { heads: 2, kvHeads: 2, headDim: 64, segmentTokens: 64, capacityTokens: 256, planes: 4 };
    const problem = clusteredProblem(layout, 3);
    for (const sealedTokens of [0, 64, 192, 256]) {
      const everything = Array.from({ length: Math.max(0, sealedTokens - sinkTokens) }, (_, i) => i + sinkTokens);
      for (const oversample of [1, 4]) {
        const { tokens } = await run(problem, { sealedTokens, wanted: 300, oversample, scanPlanes: 2 });
        expect(tokens, `${sealedTokens} sealed`).toEqual([everything, everything]);
      }
    }
    const few = await run(problem, { sealedTokens: 192, wanted: 10, oversample: 4, scanPlanes: 2 });
    for (const tokens of few.tokens) {
      expect(tokens.length).toBe(10);
      expect(tokens[9]).toBeLessThan(192);
    }
  });

  test('identical keys: the first far tokens', async () => {
    const layout: FarLayout = { heads: 4, kvHeads: 1, headDim: 64, segmentTokens: 64, capacityTokens: 192, planes: 4 };
    const problem = clusteredProblem(layout, 5);
    problem.keys.fill(0.5);
    const expected = Array.from({ length: 7 }, (_, i) => i + sinkTokens);
    expect((await run(problem, { sealedTokens: 192, wanted: 7, oversample: 3, scanPlanes: 1 })).tokens).toEqual([expected]);
  });

  test('more planes than there are, or more candidates than fit, are refused', async () => {
    const layout: FarLayout = { heads: 2, kvHeads: 1, headDim: 64, segmentTokens: 64, capacityTokens: 128, planes: 2 };
    const scratch = new SketchSelectScratch(device, layout, { maxCandidates: 8 });
    const step: SketchSelectStep = { sealedTokens: 128, wanted: 4, oversample: 3, scanPlanes: 1 };
    expect(() => scratch.write({ ...step, scanPlanes: 4 })).toThrow('a sketch of 2 planes cannot be scanned by 4');
    const selection = new Selection(device, layout, { maxSelected: 4, label: 'test' });
    const sketch = Sketch.create(device, layout, { label: 'test' });
    const clusters = Clusters.create(device, layout, { label: 'test' });
    const bound = await bindSketchSelect(device, { layout, sketch, clusters, queries: upload(device, new Float32Array(128)), scratch, selection });
    expect(() => runPass(device, (pass) => bound.encode(pass, step))).toThrow('12 tokens are wanted where 8 fit');
    for (const part of [scratch, selection, sketch, clusters]) part.free();
  });
});
