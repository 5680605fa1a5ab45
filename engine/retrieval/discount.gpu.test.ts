import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { randomNumbers } from '../layers/attention/testing.ts';
import { attendRange, mergePartials } from '../reference/attention.ts';
import { discount, dot, estimate } from '../reference/retrieval/clusters.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { buildClusters, type FarCase, farProblem, type FarProblem, runPass, vectorsOf } from './clusterTesting.ts';
import { bindDiscount } from './discount.ts';
import { clustersPerSegment, clusterTokens, noCluster, sinkTokens } from './layout.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

const usual: FarCase = { kind: 'topics', seed: 1, kvHeads: 2, headDim: 64, segmentTokens: 128, segments: 3, format: 'f32' };

/** The cluster of each token over all segments. */
function globalAssignment(problem: FarProblem, assignment: readonly number[]): number[] {
  const { layout } = problem;
  return assignment.map((cluster, token) =>
    cluster === noCluster ? noCluster : Math.floor(token / layout.segmentTokens) * clustersPerSegment(layout) + cluster,
  );
}

/** Remaining members of all clusters, [kvHead][cluster]. */
async function remainingAfter(problem: FarProblem, built: Awaited<ReturnType<typeof buildClusters>>, selected: number[][], maxSelected: number): Promise<number[][]> {
  const { layout } = problem;
  const { kvHeads, capacityTokens } = layout;
  const clusterCount = capacityTokens / clusterTokens;
  // What is behind a head's selection must not count.
  const tokens = new Uint32Array(kvHeads * maxSelected).fill(sinkTokens + 1);
  selected.forEach((some, kvHead) => tokens.set(some, kvHead * maxSelected));
  const buffers = {
    selectionTokens: upload(device, tokens),
    selectionCounts: upload(device, Uint32Array.from(selected, (some) => some.length)),
    remaining: upload(device, new Uint32Array(kvHeads * clusterCount).fill(12345)),
  };
  const bound = await bindDiscount(device, { layout, ...buffers, maxSelected, tokenWords: built.tokenWordBuffer, counts: built.clusters.counts });
  // Twice: nothing of an earlier step may stay.
  for (let step = 0; step < 2; step++) runPass(device, (pass) => bound.encode(pass, clusterCount));
  const readback = new Readback(device);
  const words = [...(await readback.words(buffers.remaining, 0, kvHeads * clusterCount))];
  readback.free();
  for (const buffer of Object.values(buffers)) device.memory.free(buffer);
  return Array.from({ length: kvHeads }, (_, kvHead) => words.slice(kvHead * clusterCount, (kvHead + 1) * clusterCount));
}

test.each([1, 2, 3])('members that are not selected, seed %i', async (seed) => {
  const problem = farProblem({ ...usual, seed });
  const built = await buildClusters(device, problem);
  const far = problem.layout.capacityTokens - sinkTokens;
  const next = randomNumbers(seed);
  const someTokens = (share: number): number[] =>
    Array.from({ length: far }, (_, i) => sinkTokens + i).filter(() => (next() + 1) / 2 < share);
  for (const selected of [[[], []], [someTokens(0.05), someTokens(0.5)], [someTokens(0.3), []], [someTokens(1), someTokens(1)]]) {
    const remaining = await remainingAfter(problem, built, selected, far + 3);
    remaining.forEach((some, kvHead) => {
      expect(some).toEqual(discount(built.counts[kvHead], globalAssignment(problem, built.assignment[kvHead]), selected[kvHead]));
      expect(some.reduce((a, b) => a + b)).toBe(far - selected[kvHead].length);
    });
  }
  built.free();
});

/** Attention over sinks and the tokens of largest score exactly, the rest estimated; and how far each is from the truth. */
async function errors(shape: FarCase, selectedShare: number, queryScale: number): Promise<{ estimated: number; dropped: number; logSumExpGap: number }> {
  const problem = farProblem(shape);
  const { layout, keys, values } = problem;
  const { kvHeads, headDim, capacityTokens } = layout;
  const built = await buildClusters(device, problem);
  const next = randomNumbers(shape.seed + 99);
  // A query that resembles keys here and there, as attention's do, and much that resembles none.
  const query = (kvHead: number): Float32Array => {
    const [a, b] = [next(), next()].map((x) => vectorsOf(keys, layout, kvHead, 0, capacityTokens)[Math.floor(((x + 1) / 2) * capacityTokens)]);
    return a.map((x, i) => ((x - b[i]) + 0.5 * next()) * queryScale);
  };
  const queries = Array.from({ length: kvHeads }, (_, kvHead) => query(kvHead));
  const wanted = Math.round(selectedShare * capacityTokens);
  const selected = queries.map((one, kvHead) => {
    const scores = vectorsOf(keys, layout, kvHead, 0, capacityTokens).map((key) => dot(one, key));
    const far = scores.map((_, token) => token).slice(sinkTokens);
    return far.sort((a, b) => scores[b] - scores[a]).slice(0, wanted).sort((a, b) => a - b);
  });
  const remaining = await remainingAfter(problem, built, selected, wanted + 1);
  let [estimated, dropped, logSumExpGap] = [0, 0, 0];
  queries.forEach((one, kvHead) => {
    const all = { queries: one, keys: headOnly(keys, problem, kvHead), values: headOnly(values, problem, kvHead), heads: 1, kvHeads: 1, headDim, rows: 1, position: capacityTokens - 1, window: null };
    const truth = attendRange(all, 0, 0, 0, capacityTokens);
    const exact = [attendRange(all, 0, 0, 0, sinkTokens), ...selected[kvHead].map((token) => attendRange(all, 0, 0, token, token + 1))];
    const rest = estimate(one, built.centroids[kvHead], built.valueMeans[kvHead], remaining[kvHead]);
    const merged = mergePartials([...exact, rest]);
    const size = Math.sqrt(dot(truth.output, truth.output));
    const distance = (output: Float64Array): number => Math.sqrt(output.reduce((sum, x, i) => sum + (x - truth.output[i]) ** 2, 0)) / size;
    estimated = Math.max(estimated, distance(merged.output));
    dropped = Math.max(dropped, distance(mergePartials(exact).output));
    logSumExpGap = Math.max(logSumExpGap, Math.abs(merged.logSumExp - truth.logSumExp));
  });
  built.free();
  return { estimated, dropped, logSumExpGap };
}

function headOnly(all: Float32Array, { layout }: FarProblem, kvHead: number): Float32Array {
  const vectors = vectorsOf(all, layout, kvHead, 0, layout.capacityTokens);
  const out = new Float32Array(layout.capacityTokens * layout.headDim);
  vectors.forEach((vector, token) => out.set(vector, token * layout.headDim));
  return out;
}

test.each([1, 2, 3])('exact tokens and estimated rest come close to full attention, seed %i', async (seed) => {
  for (const selectedShare of [0, 0.02, 0.1]) {
    const { estimated, dropped, logSumExpGap } = await errors({ ...usual, seed, kvHeads: 1 }, selectedShare, 0.05);
    expect(logSumExpGap).toBeLessThan(0.2);
    expect(estimated).toBeLessThan(0.2);
    expect(estimated).toBeLessThan(dropped * 0.6);
  }
});

test('with every token selected nothing is left to estimate', async () => {
  const { estimated, logSumExpGap } = await errors({ ...usual, segments: 1, kvHeads: 1 }, 1, 0.3);
  expect(estimated).toBeLessThan(1e-9);
  expect(logSumExpGap).toBeLessThan(1e-9);
});
