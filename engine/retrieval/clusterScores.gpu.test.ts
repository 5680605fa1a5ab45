import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { randomFloats } from '../layers/attention/testing.ts';
import { clusterScores } from '../reference/retrieval/clusters.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { bindClusterScores } from './clusterScores.ts';
import { buildClusters, type FarCase, farProblem, runPass } from './clusterTesting.ts';
import { clustersPerSegment, noCluster, sinkTokens } from './layout.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

async function check(shape: FarCase, group: number, sizeTerm: boolean, sealedSegments: number, queryScale = 1): Promise<void> {
  const problem = farProblem(shape);
  const built = await buildClusters(device, problem);
  const layout = { ...problem.layout, heads: shape.kvHeads * group };
  const { heads, headDim, capacityTokens, segmentTokens } = layout;
  const queries = randomFloats(heads * headDim, shape.seed + 7, queryScale);
  const buffers = { queries: upload(device, queries), scores: upload(device, new Float32Array(heads * capacityTokens).fill(77)) };
  const bound = await bindClusterScores(device, { layout, ...buffers, clusters: built.clusters, tokenWords: built.tokenWordBuffer, sizeTerm });
  const sealedTokens = sealedSegments * segmentTokens;
  runPass(device, (pass) => bound.encode(pass, sealedTokens));
  const readback = new Readback(device);
  const actual = await readback.floats(buffers.scores, 0, heads * capacityTokens);
  readback.free();
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / group);
    const assignment = built.assignment[kvHead].map((cluster, token) =>
      cluster === noCluster ? noCluster : Math.floor(token / segmentTokens) * clustersPerSegment(layout) + cluster,
    );
    const query = queries.subarray(head * headDim, (head + 1) * headDim);
    const expected = clusterScores(query, built.centroids[kvHead], built.counts[kvHead], assignment, sizeTerm);
    const largest = Math.max(...built.centroids[kvHead].flatMap((centroid) => [...centroid].map(Math.abs)));
    let worst = 0;
    for (let token = 0; token < capacityTokens; token++) {
      const score = actual[head * capacityTokens + token];
      if (token >= sealedTokens) expect(score).toBe(77);
      else if (token < sinkTokens) expect(score).toBe(Math.fround(-1e30));
      else worst = Math.max(worst, Math.abs(score - expected[token]));
    }
    expect(worst).toBeLessThan(2e-6 * queryScale * largest * headDim + 1e-5);
  }
  built.free();
  for (const buffer of Object.values(buffers)) device.memory.free(buffer);
}

const usual: FarCase = { kind: 'topics', seed: 1, kvHeads: 2, headDim: 64, segmentTokens: 128, segments: 3, format: 'f32' };

test.each([1, 3, 8])('%i query heads share a key-value head', async (group) => {
  await check({ ...usual, seed: group }, group, true, 3);
  await check({ ...usual, seed: group }, group, false, 3);
});

test('only sealed segments, and none', async () => {
  await check(usual, 2, true, 2);
  await check(usual, 2, true, 0);
});

test.each([80, 256])('%i dimensions, large segments and queries', async (headDim) => {
  await check({ ...usual, headDim, kvHeads: 1, kind: 'noise', segmentTokens: 192, segments: 1 }, 4, true, 1, 100);
});
