import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { clusterSegment, dot, inertia, meanOf } from '../reference/retrieval/clusters.ts';
import { eightBitScale } from '../reference/retrieval/eightBit.ts';
import { openTestDevice } from '../testing/device.ts';
import { type BuiltClusters, buildClusters, type FarCase, type FarProblem, farProblem, vectorsOf } from './clusterTesting.ts';
import { checkClusterLayout, clusterBytes, Clusters } from './clusters.ts';
import { clusterCapacity, clustersPerSegment, noCluster, sinkTokens } from './layout.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

const usual: FarCase = { kind: 'topics', seed: 1, kvHeads: 2, headDim: 64, segmentTokens: 128, segments: 2, format: 'f32' };

/** Calls `visit` with each (head, segment): its vectors, how many of them are sinks, and its first cluster. */
function eachPart(problem: FarProblem, visit: (part: { kvHead: number; begin: number; excluded: number; firstCluster: number; keys: Float32Array[]; values: Float32Array[] }) => void): void {
  const { layout } = problem;
  for (let kvHead = 0; kvHead < layout.kvHeads; kvHead++) {
    for (let segment = 0; segment < layout.capacityTokens / layout.segmentTokens; segment++) {
      const begin = segment * layout.segmentTokens;
      const end = begin + layout.segmentTokens;
      visit({
        kvHead,
        begin,
        excluded: segment === 0 ? sinkTokens : 0,
        firstCluster: segment * clustersPerSegment(layout),
        keys: vectorsOf(problem.keys, layout, kvHead, begin, end),
        values: vectorsOf(problem.values, layout, kvHead, begin, end),
      });
    }
  }
}

/** What was stored must follow from the GPU's own assignment, within half a step of 8 bits. */
function checkAgainstAssignment(problem: FarProblem, built: BuiltClusters): void {
  const { layout } = problem;
  const { headDim } = layout;
  eachPart(problem, ({ kvHead, begin, excluded, firstCluster, keys, values }) => {
    const assignment = built.assignment[kvHead].slice(begin, begin + layout.segmentTokens);
    assignment.forEach((cluster, token) => {
      if (token < excluded) expect(cluster).toBe(noCluster);
      else expect(cluster).toBeLessThan(clustersPerSegment(layout));
    });
    let counted = 0;
    for (let local = 0; local < clustersPerSegment(layout); local++) {
      const cluster = firstCluster + local;
      const record = kvHead * clusterCapacity(layout) + cluster;
      const isMember = (_: Float32Array, token: number): boolean => assignment[token] === local;
      const memberKeys = keys.filter(isMember);
      expect(built.counts[kvHead][cluster]).toBe(memberKeys.length);
      counted += memberKeys.length;
      if (memberKeys.length === 0) {
        expect(Math.max(...built.valueMeans[kvHead][cluster].map(Math.abs))).toBe(0);
        continue;
      }
      const check = (stored: Float64Array, words: Uint32Array, expected: Float64Array): void => {
        const largest = Math.max(...expected.map(Math.abs));
        const scale = eightBitScale(words, record, headDim);
        expect(scale).toBeGreaterThan((largest / 127) * 0.9999);
        expect(scale).toBeLessThan((largest / 127) * 1.0001 + 1e-30);
        for (let i = 0; i < headDim; i++) expect(Math.abs(stored[i] - expected[i])).toBeLessThanOrEqual(scale * 0.501 + largest * 1e-5);
      };
      check(built.centroids[kvHead][cluster], built.centroidWords, meanOf(memberKeys));
      check(built.valueMeans[kvHead][cluster], built.valueWords, meanOf(values.filter(isMember)));
    }
    expect(counted).toBe(layout.segmentTokens - excluded);
  });
}

/** Of the last segment the centroids before the last round are known: no token has a nearer one. */
function checkNearest(problem: FarProblem, built: BuiltClusters): void {
  const { layout } = problem;
  const clusters = clustersPerSegment(layout);
  eachPart(problem, ({ kvHead, begin, excluded, keys }) => {
    if (begin + layout.segmentTokens !== layout.capacityTokens) return;
    const row = (index: number): Float32Array => {
      const first = (kvHead * (3 * clusters + 1) + index) * layout.headDim;
      return built.scratch.subarray(first, first + layout.headDim);
    };
    const mean = meanOf(keys.slice(excluded));
    const size = Math.max(...keys.map((key) => Math.sqrt(dot(key, key))));
    mean.forEach((x, i) => expect(Math.abs(x - row(3 * clusters)[i])).toBeLessThan(1e-5 * size));
    for (let cluster = 0; cluster < clusters; cluster++) {
      const length = Math.sqrt(dot(row(cluster), row(cluster)));
      if (length > 0) expect(Math.abs(length - 1)).toBeLessThan(1e-4);
    }
    keys.forEach((key, token) => {
      if (token < excluded) return;
      const centred = key.map((x, i) => x - mean[i]);
      const best = Math.max(...Array.from({ length: clusters }, (_, cluster) => dot(centred, row(cluster))));
      expect(dot(centred, row(built.assignment[kvHead][begin + token]))).toBeGreaterThan(best - 1e-5 * size);
    });
  });
}

/** Near-ties may send the rounds another way, to clusters that are as tight. */
function checkAgainstReference(problem: FarProblem, built: BuiltClusters, inertiaTolerance: number): number {
  let same = 0;
  let all = 0;
  eachPart(problem, ({ kvHead, begin, excluded, keys, values }) => {
    const expected = clusterSegment(keys, values, excluded, clustersPerSegment(problem.layout));
    const assignment = built.assignment[kvHead].slice(begin, begin + keys.length);
    all += keys.length;
    same += assignment.filter((cluster, token) => cluster === expected.assignment[token]).length;
    const spread = keys.reduce((sum, key) => sum + dot(key, key), 0);
    const [actual, wanted] = [inertia(keys, assignment), inertia(keys, expected.assignment)];
    expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(inertiaTolerance * wanted + 1e-9 * spread);
  });
  return same / all;
}

async function check(shape: FarCase, { inertiaTolerance = 0.02, sameShare = 0.95 } = {}): Promise<void> {
  const problem = farProblem(shape);
  const built = await buildClusters(device, problem);
  checkAgainstAssignment(problem, built);
  checkNearest(problem, built);
  expect(checkAgainstReference(problem, built, inertiaTolerance), JSON.stringify(shape)).toBeGreaterThanOrEqual(sameShare);
  built.free();
}

describe('clusters of a segment', () => {
  test.each([1, 2, 3, 4])('keys around topics, seed %i', async (seed) => {
    await check({ ...usual, seed, format: seed % 2 ? 'f32' : 'f16' });
  });

  test.each([1, 2, 3])('keys without structure, seed %i', async (seed) => {
    await check({ ...usual, kind: 'noise', seed });
  });

  test.each([80, 96, 128, 256])('%i dimensions', async (headDim) => {
    await check({ ...usual, headDim, kvHeads: 1, seed: headDim, format: headDim % 128 ? 'f32' : 'f16' });
  });

  test.each([64, 192, 512])('segments of %i tokens', async (segmentTokens) => {
    await check({ ...usual, segmentTokens, kvHeads: 1, seed: segmentTokens });
  });

  test.each([64, 128, 512])('segments of %i tokens without a sketch, in half as many clusters', async (segmentTokens) => {
    const shape: FarCase = { ...usual, segmentTokens, kvHeads: 1, seed: segmentTokens, planes: 0 };
    expect(clustersPerSegment(farProblem(shape).layout)).toBe(segmentTokens / 32);
    await check(shape);
  });

  test('large keys', async () => {
    await check({ ...usual, kind: 'large', format: 'f16' });
  });

  test('identical keys, and two of them: clusters stay empty, nothing is lost', async () => {
    await check({ ...usual, kind: 'identical' }, { sameShare: 0 });
    await check({ ...usual, kind: 'two' }, { sameShare: 0 });
  });

  test('the low bits of a token word stay, and the same keys give the same bits', async () => {
    const problem = farProblem(usual);
    const [first, second] = [await buildClusters(device, problem), await buildClusters(device, problem)];
    first.tokenWords.flat().forEach((word, i) => expect(word & 0xffff).toBe((i * 40503) & 0xffff));
    for (const key of ['centroidWords', 'valueWords', 'counts', 'tokenWords'] as const) expect(second[key]).toEqual(first[key]);
    first.free();
    second.free();
  });

  test('memory is what was announced, and is given back', () => {
    const { layout } = farProblem({ ...usual, headDim: 80 });
    const before = device.memory.report().kvBytes;
    const clusters = Clusters.create(device, layout, { label: 'test' });
    const rounding = 3 * 16;
    expect(Math.abs(device.memory.report().kvBytes - before - clusterBytes(layout))).toBeLessThan(rounding);
    clusters.free();
    expect(device.memory.report().kvBytes).toBe(before);
  });

  test('layouts that the kernels cannot do are refused', () => {
    const { layout } = farProblem(usual);
    expect(() => checkClusterLayout({ ...layout, headDim: 72 })).toThrow('heads of 72 dimensions cannot be clustered');
    expect(() => checkClusterLayout({ ...layout, segmentTokens: 96 })).toThrow('segments of 96 tokens cannot be clustered');
    expect(() => checkClusterLayout({ ...layout, capacityTokens: 200 })).toThrow('200 tokens are not whole segments of 128');
  });
});
