import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { halfToFloat } from '../formats/half.ts';
import { randomFloats } from '../layers/attention/testing.ts';
import { logSumExp } from '../reference/retrieval/select.ts';
import { centred, centresOf, chooseScale, codeOf, estimateScores, quantisationError, rotate, scaleCandidates, type SketchedSegment, valueOf } from '../reference/retrieval/sketch.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { buildIndex, type BuiltIndex, type FarCase, type FarProblem, farProblem, readCentroids, runPass, vectorsOf } from './clusterTesting.ts';
import { Clusters } from './clusters.ts';
import { type FarLayout, noCluster, sinkTokens } from './layout.ts';
import { maxMasses, Selection } from './select.ts';
import { bindSketchBuild, planeWords, Sketch, sketchBytes } from './sketch.ts';
import { bindSketchScan, ScanScratch, scanScratchBytes, ScanUniform, type ScanVariant } from './sketchScan.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

type Planes = FarLayout['planes'];

interface Problem extends FarProblem {
  planes: Planes;
}

function problemOf(shape: FarCase, planes: Planes): Problem {
  const problem = farProblem(shape);
  return { ...problem, planes, layout: { ...problem.layout, planes } };
}

/** What lies on the GPU, as the reference holds it: one segment of one head. Checks the bits that carry nothing. */
async function readSegment({ sketch, clusters }: BuiltIndex, layout: FarLayout, kvHead: number, segment: number): Promise<SketchedSegment> {
  const { headDim, segmentTokens, capacityTokens, planes } = layout;
  const words = planeWords(headDim);
  const first = segment * segmentTokens;
  const readback = new Readback(device);
  const tokenWords = await readback.words(sketch.tokenWords, kvHead * capacityTokens + first, segmentTokens);
  const codes = new Uint8Array(segmentTokens * headDim);
  for (let plane = 0; plane < planes; plane++) {
    const bits = await readback.words(sketch.planes, ((kvHead * planes + plane) * capacityTokens + first) * words, segmentTokens * words);
    for (let token = 0; token < segmentTokens; token++) {
      for (let dimension = 0; dimension < words * 32; dimension++) {
        const bit = (bits[token * words + Math.floor(dimension / 32)] >>> (dimension % 32)) & 1;
        if (dimension < headDim) codes[token * headDim + dimension] |= bit << (planes - 1 - plane);
        else expect(bit).toBe(0);
      }
    }
  }
  readback.free();
  const assignment = Array.from(tokenWords, (word) => word >>> 16);
  const sinks = segment === 0 ? sinkTokens : 0;
  expect(assignment.every((cluster, token) => (token < sinks ? cluster === noCluster : cluster < segmentTokens / 16))).toBe(true);
  const centroids = await readCentroids(device, clusters, layout, kvHead, segment);
  return { centres: centresOf(centroids, assignment), scales: Float64Array.from(tokenWords, (word) => halfToFloat(word & 0xffff)), codes };
}

const keysOf = ({ keys, layout }: Problem, kvHead: number, segment: number): Float32Array => {
  const { headDim, segmentTokens } = layout;
  const flat = new Float32Array(segmentTokens * headDim);
  vectorsOf(keys, layout, kvHead, segment * segmentTokens, (segment + 1) * segmentTokens).forEach((vector, token) => flat.set(vector, token * headDim));
  return flat;
};

const largestWeight = 3;
/** Of dimensions; all alike for every other seed. */
const someWeights = (headDim: number, seed: number): Float32Array<ArrayBuffer> => {
  const random = randomFloats(headDim, seed + 77);
  return Float32Array.from(random, (one) => (seed % 2 === 0 ? 1 : 0.3 + ((largestWeight - 0.3) * (Math.max(-1, Math.min(1, one)) + 1)) / 2));
};

/** Every scale and code against the reference's, of the same clusters; scales and codes may differ where it hardly matters which is chosen. */
async function checkBuild(shape: FarCase, planes: Planes): Promise<void> {
  const problem = problemOf(shape, planes);
  const { layout } = problem;
  const { headDim, segmentTokens, kvHeads } = layout;
  const dimensions = someWeights(headDim, shape.seed);
  const index = await buildIndex(device, problem, 1, dimensions);
  const what = JSON.stringify({ ...shape, planes });
  for (let segment = 0; segment < shape.segments; segment++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const keys = keysOf(problem, kvHead, segment);
      const actual = await readSegment(index, layout, kvHead, segment);
      const largest = keys.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      let wrongCodes = 0;
      for (let token = 0; token < segmentTokens; token++) {
        const x = rotate(centred(keys, actual.centres[token], token).map((one, i) => one * dimensions[i]));
        const scale = actual.scales[token];
        const size = x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
        const rounding = 4e-6 * (size + largest * largestWeight);
        expect(scaleCandidates(x, planes).some((candidate) => Math.abs(candidate - scale) <= candidate * 2 ** -10 + rounding), `${what}: scale ${scale}`).toBe(true);
        const least = quantisationError(x, chooseScale(x, planes), planes);
        expect(quantisationError(x, scale, planes), `${what}: error`).toBeLessThanOrEqual(least * 1.002 + headDim * (rounding + 1e-7) ** 2);
        for (let i = 0; i < headDim; i++) {
          const code = actual.codes[token * headDim + i];
          const near = [codeOf(x[i] - rounding, scale, planes), codeOf(x[i] + rounding, scale, planes)];
          if (scale > 0 && !near.includes(code)) wrongCodes++;
          if (scale === 0 && valueOf(code, scale, planes) !== 0) wrongCodes++;
        }
      }
      expect(wrongCodes, `${what}: codes`).toBe(0);
    }
  }
  index.free();
}

interface Scanned {
  /** [head][capacityTokens]. */
  scores: Float32Array;
  queries: Float32Array;
}

async function scan(problem: Problem, { sketch, clusters }: BuiltIndex, queries: Float32Array, sealedTokens: number, planesRead: number): Promise<Scanned> {
  const { layout } = problem;
  const scores = upload(device, new Float32Array(layout.heads * layout.capacityTokens).fill(77));
  const scratch = new ScanScratch(device, layout);
  const numbers = new ScanUniform(device);
  const queryBuffer = upload(device, queries);
  const bound = await bindSketchScan(device, { layout, sketch, clusters, queries: queryBuffer, scratch, numbers, scores });
  numbers.write({ sealedTokens, planesRead });
  runPass(device, (pass) => {
    bound.encodeQueries(pass, sealedTokens);
    bound.encodeScores(pass, sealedTokens);
  });
  const readback = new Readback(device);
  const result = await readback.floats(scores, 0, layout.heads * layout.capacityTokens);
  readback.free();
  for (const part of [scratch, numbers]) part.free();
  for (const buffer of [scores, queryBuffer]) device.memory.free(buffer);
  return { scores: result, queries };
}

interface MassRun {
  sealedTokens: number;
  planesRead: number;
  variant: Partial<ScanVariant>;
  /** Tokens by key-value head, instead of all that are sealed. */
  listed?: number[][];
}

/** The masses that a scan leaves against the reference's sum of the scores that it leaves, and those against a scan of other shape. */
async function checkMasses(problem: Problem, index: BuiltIndex, queries: Float32Array, { sealedTokens, planesRead, variant, listed }: MassRun): Promise<void> {
  const { layout } = problem;
  const { heads, kvHeads, capacityTokens } = layout;
  const { sketch, clusters } = index;
  const what = JSON.stringify({ heads, kvHeads, sealedTokens, planesRead, variant, listed: listed?.map(({ length }) => length) });
  const plain = await scan(problem, index, queries, capacityTokens, planesRead);
  const stride = listed ? Math.max(1, ...listed.map(({ length }) => length)) + 3 : capacityTokens;
  const list = listed && new Selection(device, layout, { maxSelected: stride, label: 'test' });
  listed?.forEach((tokens, kvHead) => device.gpu.queue.writeBuffer(list?.tokens ?? sketch.planes, 4 * kvHead * stride, Uint32Array.from(tokens)));
  if (list && listed) device.gpu.queue.writeBuffer(list.counts, 0, Uint32Array.from(listed, ({ length }) => length));
  const scores = upload(device, new Float32Array(heads * stride).fill(77));
  const masses = upload(device, new Float32Array(heads * (1 + maxMasses) * 2).fill(Number.NaN));
  const scratch = new ScanScratch(device, layout);
  const numbers = new ScanUniform(device);
  const queryBuffer = upload(device, queries);
  const bound = await bindSketchScan(device, { layout, sketch, clusters, queries: queryBuffer, scratch, numbers, scores, masses, list, variant });
  numbers.write({ sealedTokens, planesRead });
  runPass(device, (pass) => {
    bound.encodeQueries(pass, sealedTokens);
    bound.encodeScores(pass, listed ? stride : sealedTokens);
  });
  const readback = new Readback(device);
  const left = await readback.floats(scores, 0, heads * stride);
  const parts = await readback.floats(masses, 0, heads * (1 + maxMasses) * 2);
  readback.free();
  for (const part of [scratch, numbers, list]) part?.free();
  for (const buffer of [scores, masses, queryBuffer]) device.memory.free(buffer);
  for (let head = 0; head < heads; head++) {
    const tokens = listed?.[Math.floor(head / (heads / kvHeads))] ?? Array.from({ length: sealedTokens }, (_, token) => token);
    const row = left.subarray(head * stride, (head + 1) * stride);
    const expected = tokens.map((token) => plain.scores[head * capacityTokens + token]);
    const largest = Math.max(1, ...expected.filter((score) => score > -1e29).map(Math.abs));
    expect(expected.every((score, i) => score === row[i] || Math.abs(score - row[i]) < 1e-5 * largest), `${what}: scores`).toBe(true);
    expect(row.subarray(tokens.length).every((score) => score === 77), `${what}: behind the last`).toBe(true);
    const of = (place: number): { highest: number; total: number } => ({ highest: parts[(head * (1 + maxMasses) + place) * 2], total: parts[(head * (1 + maxMasses) + place) * 2 + 1] });
    const count = of(0).highest;
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(variant.mostSplits ?? maxMasses);
    const some = Array.from({ length: count }, (_, i) => of(1 + i)).filter(({ total }) => total > 0);
    const highest = Math.max(...some.map((mass) => mass.highest));
    const sum = highest + Math.log(some.reduce((all, mass) => all + mass.total * Math.exp(mass.highest - highest), 0));
    const reference = logSumExp({ scores: left, heads, kvHeads, stride, entries: tokens.length }, head);
    if (reference === -Infinity) expect(some.length, what).toBe(0);
    else expect(Math.abs(sum - reference), `${what}: head ${head}`).toBeLessThan(1e-5 * (1 + Math.abs(reference)));
    expect(parts.subarray((head * (1 + maxMasses) + 1 + count) * 2, (head + 1) * (1 + maxMasses) * 2).every(Number.isNaN), `${what}: masses behind the last`).toBe(true);
  }
}

/** Scores against the reference's, from the same bits; the query's 8 bits are the only difference. */
async function checkScan(shape: FarCase, planes: Planes, queryScale = 1): Promise<void> {
  const problem = problemOf(shape, planes);
  const { layout } = problem;
  const { heads, kvHeads, headDim, segmentTokens, capacityTokens } = layout;
  const dimensions = someWeights(headDim, shape.seed);
  const index = await buildIndex(device, problem, 1, dimensions);
  const queries = randomFloats(heads * headDim, shape.seed + 5, queryScale);
  for (let planesRead = 1; planesRead <= planes; planesRead++) {
    const sealedTokens = planesRead === planes ? capacityTokens : capacityTokens - segmentTokens;
    const { scores } = await scan(problem, index, queries, sealedTokens, planesRead);
    const what = JSON.stringify({ ...shape, planes, planesRead });
    for (let head = 0; head < heads; head++) {
      const query = queries.subarray(head * headDim, (head + 1) * headDim);
      const row = scores.subarray(head * capacityTokens, (head + 1) * capacityTokens);
      expect(row.subarray(sealedTokens).every((score) => score === 77), `${what}: behind the sealed tokens`).toBe(true);
      expect(row.subarray(0, sinkTokens).every((score) => score === Math.fround(-1e30)), `${what}: sinks`).toBe(true);
      const highest = rotate(query.map((x, i) => x / dimensions[i])).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      for (let segment = 0; segment * segmentTokens < sealedTokens; segment++) {
        const segmentSketch = await readSegment(index, layout, Math.floor(head / (heads / kvHeads)), segment);
        const expected = estimateScores(query, segmentSketch, planes, planesRead, dimensions);
        let worst = 0;
        for (let token = segment === 0 ? sinkTokens : 0; token < segmentTokens; token++) {
          const centreSize = segmentSketch.centres[token].reduce((sum, x, i) => sum + Math.abs(x * query[i]), 0);
          let size = 0;
          for (let i = 0; i < headDim; i++) size += Math.abs(valueOf(segmentSketch.codes[token * headDim + i], segmentSketch.scales[token], planes, planesRead));
          // Half a step of the 8-bit query in every dimension at the worst.
          const bound = size * (highest / 254 + 1e-5 * highest) + 1e-5 * centreSize + 1e-9;
          worst = Math.max(worst, Math.abs(row[segment * segmentTokens + token] - expected[token]) / bound);
        }
        expect(worst, `${what}: error ÷ its bound`).toBeLessThan(1);
      }
    }
  }
  index.free();
}

const small = { kvHeads: 2, headDim: 64, segmentTokens: 64, segments: 2, format: 'f32' } as const;

describe('the sketch', () => {
  test.each(['topics', 'noise', 'identical', 'two', 'large'] as const)('of %s keys: the reference’s bits', async (kind) => {
    let seed = 1;
    for (const planes of [1, 2, 4] as const) await checkBuild({ ...small, kind, seed: seed++ }, planes);
    await checkBuild({ ...small, kind, seed, format: 'f16', kvHeads: 1, segments: 3 }, 2);
  });

  test.each(['f16', 'f32'] as const)('several segments at once are what they are one by one, ring of %s', async (format) => {
    const shape = { ...small, kind: 'topics', seed: 3, format, segments: 7 } as const;
    const problem = problemOf(shape, 2);
    problem.ring.capacitySlots = 4 * small.segmentTokens + 21;
    const readback = new Readback(device);
    const all: Uint32Array[][] = [];
    for (const atOnce of [1, 3, 4]) {
      const index = await buildIndex(device, problem, atOnce);
      const { sketch, clusters } = index;
      const words: Uint32Array[] = [];
      for (const buffer of [sketch.planes, sketch.tokenWords, clusters.centroids, clusters.valueMeans, clusters.counts]) words.push(await readback.words(buffer, 0, buffer.size / 4));
      all.push(words);
      index.free();
    }
    readback.free();
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    await expect(buildIndex(device, problem, 5)).rejects.toThrow('5 segments are more than the 4 that are clustered at once');
  });

  test.each([80, 96, 128, 256])('of heads of %i dimensions', async (headDim) => {
    await checkBuild({ ...small, kind: 'topics', seed: headDim, headDim, kvHeads: 1 }, 2);
    await checkScan({ ...small, kind: 'topics', seed: headDim, headDim, kvHeads: 1 }, 2);
  });

  test.each(['topics', 'noise', 'identical', 'large'] as const)('scores of %s keys', async (kind) => {
    for (const planes of [1, 2, 4] as const) await checkScan({ ...small, kind, seed: planes }, planes);
  });

  test('scores of ten thousand', async () => {
    await checkScan({ ...small, kind: 'noise', seed: 4 }, 4, 2000);
  });

  test.each([
    { group: 1, kvHeads: 2, headDim: 64, planes: 2, kind: 'topics', queryScale: 1 },
    { group: 4, kvHeads: 1, headDim: 128, planes: 4, kind: 'noise', queryScale: 2000 },
    { group: 7, kvHeads: 2, headDim: 80, planes: 1, kind: 'identical', queryScale: 1 },
    { group: 10, kvHeads: 1, headDim: 64, planes: 2, kind: 'large', queryScale: 1 },
  ] as const)('masses of $group heads of $headDim dimensions, $kind keys', async ({ group, kvHeads, planes, queryScale, ...shape }) => {
    const problem = problemOf({ ...small, ...shape, kvHeads, seed: group, segments: 6 }, planes);
    problem.layout.heads = group * kvHeads;
    const index = await buildIndex(device, problem);
    const queries = randomFloats(problem.layout.heads * shape.headDim, group, queryScale);
    const variants: Partial<ScanVariant>[] = [
      {},
      { invocations: 32, tokensAtOnce: 1, mostWords: 1, mostSplits: maxMasses, subgroups: false },
      { invocations: 128, tokensAtOnce: 2, mostWords: 2, mostSplits: 2, mostHeads: 4, subgroups: true },
      { invocations: 64, tokensAtOnce: 3, mostSplits: 1, mostHeads: 3, subgroups: false },
    ];
    for (const [i, variant] of variants.entries()) {
      for (const sealedTokens of [0, 64, 320, 384]) await checkMasses(problem, index, queries, { sealedTokens, planesRead: Math.max(1, planes - i), variant });
      const listed = Array.from({ length: kvHeads }, (_, kvHead) => Array.from({ length: [97, 0][kvHead] }, (__, entry) => 3 * entry + kvHead));
      await checkMasses(problem, index, queries, { sealedTokens: 384, planesRead: planes, variant, listed });
    }
    index.free();
  });

  test('more splits than masses fit are refused', async () => {
    const { layout } = problemOf({ ...small, kind: 'noise', seed: 1 }, 2);
    const sketch = Sketch.create(device, layout, { label: 'test' });
    const clusters = Clusters.create(device, layout, { label: 'test' });
    const io = { layout, sketch, clusters, queries: sketch.planes, scratch: new ScanScratch(device, layout), numbers: new ScanUniform(device), scores: sketch.planes };
    await expect(bindSketchScan(device, { ...io, variant: { mostSplits: maxMasses + 1 } })).rejects.toThrow('513 splits are more than the 512');
    for (const part of [sketch, clusters, io.scratch, io.numbers]) part.free();
  });

  test('more planes, smaller error', async () => {
    for (const kind of ['noise', 'topics'] as const) {
      const relativeErrors: number[] = [];
      for (const [planes, planesRead] of [[1, 1], [2, 2], [4, 2], [4, 4]] as const) {
        const problem = problemOf({ ...small, kind, seed: 12, segments: 3 }, planes);
        const { layout, keys } = problem;
        const index = await buildIndex(device, problem);
        const queries = randomFloats(layout.heads * layout.headDim, 6);
        const { scores } = await scan(problem, index, queries, layout.capacityTokens, planesRead);
        let squaredError = 0;
        let variance = 0;
        for (let head = 0; head < layout.heads; head++) {
          const kvHead = Math.floor(head / (layout.heads / layout.kvHeads));
          const query = queries.subarray(head * layout.headDim, (head + 1) * layout.headDim);
          for (let segment = 0; segment < 3; segment++) {
            const first = segment * layout.segmentTokens + (segment === 0 ? sinkTokens : 0);
            const exact = vectorsOf(keys, layout, kvHead, first, (segment + 1) * layout.segmentTokens).map((key) => key.reduce((sum, x, i) => sum + x * query[i], 0));
            const mean = exact.reduce((a, b) => a + b, 0) / exact.length;
            exact.forEach((score, i) => {
              squaredError += (scores[head * layout.capacityTokens + first + i] - score) ** 2;
              variance += (score - mean) ** 2;
            });
          }
        }
        relativeErrors.push(Math.sqrt(squaredError / variance));
        index.free();
      }
      console.log(`${kind}: error ÷ standard deviation of scores`, relativeErrors.map((error) => error.toFixed(3)).join(' '));
      // Of normal values the best quantisers leave .60 (1 bit), .34 (2 bits) and .11 (4 bits); of what centroids leave of topics, half.
      const [one, two, twoOfFour, four] = relativeErrors.map((error) => error * (kind === 'topics' ? 1.6 : 1));
      expect(one).toBeLessThan(0.62);
      expect(two).toBeLessThan(0.36);
      expect(twoOfFour).toBeLessThan(0.38);
      expect(four).toBeLessThan(0.14);
    }
  });

  test('takes the bytes that it says', () => {
    const layout: FarLayout = { heads: 4, kvHeads: 2, headDim: 80, segmentTokens: 128, capacityTokens: 1024, planes: 2 };
    const kvBefore = device.memory.report();
    const sketch = Sketch.create(device, layout, { label: 'test' });
    const scratch = new ScanScratch(device, layout);
    const after = device.memory.report();
    expect(after.kvBytes - kvBefore.kvBytes).toBe(sketchBytes(layout));
    expect(after.activationsBytes - kvBefore.activationsBytes).toBe(scanScratchBytes(layout));
    for (const part of [sketch, scratch]) part.free();
  });

  test('a layout that the kernels cannot do is refused', async () => {
    const layout: FarLayout = { heads: 4, kvHeads: 2, headDim: 64, segmentTokens: 128, capacityTokens: 1024, planes: 2 };
    const create = (change: Partial<FarLayout>) => () => Sketch.create(device, { ...layout, ...change }, { label: 'test' });
    expect(create({ headDim: 72 })).toThrow('heads of 72 dimensions cannot be sketched');
    expect(create({ segmentTokens: 100 })).toThrow('segments of 100 tokens');
    expect(create({ capacityTokens: 1000 })).toThrow('1000 tokens are not whole segments of 128');
    expect(create({ heads: 5 })).toThrow('5 heads cannot share 2');
    const sketch = create({})();
    const io = { layout, sketch, clusters: { centroids: sketch.planes }, keys: sketch.planes, segment: sketch.planes };
    await expect(bindSketchBuild(device, { ...io, ring: { format: 'f32', kvHeads: 2, headDim: 64, capacitySlots: 100 } })).rejects.toThrow('a ring of 100 slots');
    sketch.free();
  });
});
