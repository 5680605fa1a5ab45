/** What the tests of clusters, page bounds and their scores share: keys of several kinds, and a built layer. */
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { fillCache, randomNumbers, roundToHalf } from '../layers/attention/testing.ts';
import { readEightBit } from '../reference/retrieval/eightBit.ts';
import { upload } from '../testing/device.ts';
import { allocateClusterScratch, bindClusterBuild, Clusters } from './clusters.ts';
import { clusterCapacity, clustersPerSegment, eightBitRecordWords, type FarLayout, segmentsAtOnce } from './layout.ts';
import { SegmentUniform } from './segmentUniform.ts';
import { bindSketchBuild, Sketch } from './sketch.ts';

/**
 * `topics`: tokens scattered tightly around few directions, far from the origin, whose values depend on the topic;
 * `noise`: no structure; `identical`: one vector; `two`: two vectors, so that most clusters stay empty; `large`:
 * noise of size 1e4.
 */
export type KeyKind = 'topics' | 'noise' | 'identical' | 'two' | 'large';

export interface FarCase {
  kind: KeyKind;
  seed: number;
  kvHeads: number;
  headDim: number;
  segmentTokens: number;
  segments: number;
  format: KvLayout['format'];
  planes?: FarLayout['planes'];
}

export interface FarProblem {
  layout: FarLayout;
  ring: KvLayout;
  /** [tokens][kvHeads][headDim], rounded as the ring stores them. */
  keys: Float32Array;
  values: Float32Array;
}

export function farProblem({ kind, seed, kvHeads, headDim, segmentTokens, segments, format, planes = 2 }: FarCase): FarProblem {
  const tokens = segmentTokens * segments;
  const next = randomNumbers(seed);
  for (let i = 0; i < 8; i++) next();
  const round = (x: number): number => (format === 'f16' ? roundToHalf(x) : Math.fround(x));
  const width = kvHeads * headDim;
  const topics = Array.from({ length: kind === 'two' ? 2 : 6 }, () => Float32Array.from({ length: width }, next));
  const offset = Float32Array.from({ length: width }, () => 3 * next());
  const key = (topic: Float32Array): ((i: number) => number) => {
    if (kind === 'identical') return (i) => offset[i];
    if (kind === 'two') return (i) => offset[i] + topic[i];
    if (kind === 'topics') return (i) => offset[i] + 2 * topic[i] + 0.15 * next();
    return () => next() * (kind === 'large' ? 1e4 : 1);
  };
  const keys = new Float32Array(tokens * width);
  const values = new Float32Array(tokens * width);
  for (let token = 0; token < tokens; token++) {
    const topic = topics[Math.floor(((next() + 1) / 2) * topics.length)];
    const at = key(topic);
    for (let i = 0; i < width; i++) {
      keys[token * width + i] = round(at(i));
      values[token * width + i] = round((kind === 'topics' ? topic[width - 1 - i] : 0) + next());
    }
  }
  // Larger than a segment, smaller than the text, and no multiple of either: the ring wraps inside segments.
  const ring = { format, kvHeads, headDim, capacitySlots: segmentTokens + 37 };
  return { layout: { heads: 2 * kvHeads, kvHeads, headDim, segmentTokens, capacityTokens: tokens, planes }, ring, keys, values };
}

/** The vectors [begin, end) of one head. */
export function vectorsOf(all: Float32Array, { kvHeads, headDim }: FarLayout, kvHead: number, begin: number, end: number): Float32Array[] {
  return Array.from({ length: end - begin }, (_, i) => {
    const base = ((begin + i) * kvHeads + kvHead) * headDim;
    return all.subarray(base, base + headDim);
  });
}

/** A ring on the GPU into which one segment after the other is written. */
export class TestRing {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly segment: SegmentUniform;
  readonly #device: Device;
  readonly #problem: FarProblem;

  constructor(device: Device, problem: FarProblem) {
    const { kvHeads, headDim, capacitySlots } = problem.ring;
    this.#device = device;
    this.#problem = problem;
    this.keys = device.memory.storage('kv', 'keys', kvHeads * capacitySlots * headDim * 4);
    this.values = device.memory.storage('kv', 'values', kvHeads * capacitySlots * headDim * 4);
    this.segment = new SegmentUniform(device);
  }

  /** Puts so many segments at a time into the ring, which must hold them, and runs `encode` on those. */
  eachSegment(encode: (pass: GPUComputePassEncoder, segments: number) => void, atOnce = 1): void {
    const { layout, ring, keys, values } = this.#problem;
    const { segmentTokens, capacityTokens } = layout;
    for (let begin = 0; begin < capacityTokens; begin += atOnce * segmentTokens) {
      const end = Math.min(capacityTokens, begin + atOnce * segmentTokens);
      fillCache(this.#device, this.keys, ring, keys, begin, end);
      fillCache(this.#device, this.values, ring, values, begin, end);
      this.segment.write(begin / segmentTokens);
      runPass(this.#device, (pass) => encode(pass, (end - begin) / segmentTokens));
    }
  }

  free(): void {
    this.segment.free();
    for (const buffer of [this.keys, this.values]) this.#device.memory.free(buffer);
  }
}

export function runPass(device: Device, encode: (pass: GPUComputePassEncoder) => void): void {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
}

export interface BuiltIndex {
  clusters: Clusters;
  sketch: Sketch;
  free(): void;
}

/** Clusters and sketch of all segments, so many at a time; `dimensions` [headDim] weighs. */
export async function buildIndex(device: Device, problem: FarProblem, atOnce = 1, dimensions?: Float32Array<ArrayBuffer>): Promise<BuiltIndex> {
  const { layout } = problem;
  const clusters = Clusters.create(device, layout, { label: 'test' });
  const sketch = Sketch.create(device, layout, { label: 'test' });
  if (dimensions) sketch.weigh(dimensions);
  const scratch = allocateClusterScratch(device, layout);
  const ring = new TestRing(device, problem);
  const shared = { layout, ring: problem.ring, keys: ring.keys, clusters, segment: ring.segment.buffer };
  const cluster = await bindClusterBuild(device, { ...shared, values: ring.values, tokenWords: sketch.tokenWords, scratch });
  const encode = await bindSketchBuild(device, { ...shared, sketch });
  ring.eachSegment((pass, segments) => {
    cluster.encode(pass, segments);
    encode.encode(pass, segments);
  }, atOnce);
  ring.free();
  device.memory.free(scratch);
  return {
    clusters,
    sketch,
    free: () => {
      for (const part of [clusters, sketch]) part.free();
    },
  };
}

/** One head's centroids of a segment, as they are stored. */
export async function readCentroids(device: Device, clusters: Clusters, layout: FarLayout, kvHead: number, segment: number): Promise<Float64Array[]> {
  const perSegment = clustersPerSegment(layout);
  const recordWords = eightBitRecordWords(layout.headDim);
  const first = kvHead * clusterCapacity(layout) + segment * perSegment;
  const readback = new Readback(device);
  const words = await readback.words(clusters.centroids, first * recordWords, perSegment * recordWords);
  readback.free();
  return Array.from({ length: perSegment }, (_, cluster) => readEightBit(words, cluster, layout.headDim));
}

/** What was built, read back; vectors by [kvHead][cluster], words and assignment by [kvHead][token]. */
export interface BuiltClusters {
  clusters: Clusters;
  tokenWordBuffer: GPUBuffer;
  centroids: Float64Array[][];
  valueMeans: Float64Array[][];
  centroidWords: Uint32Array;
  valueWords: Uint32Array;
  counts: number[][];
  tokenWords: number[][];
  assignment: number[][];
  /** Of the last segment: unit centroids before the last round, and at the end the mean. */
  scratch: Float32Array;
  free(): void;
}

export async function buildClusters(device: Device, problem: FarProblem): Promise<BuiltClusters> {
  const { layout } = problem;
  const { kvHeads, headDim, capacityTokens } = layout;
  const clusterCount = clusterCapacity(layout);
  const clusters = Clusters.create(device, layout, { label: 'test' });
  const tokenWordBuffer = upload(device, Uint32Array.from({ length: kvHeads * capacityTokens }, (_, i) => (0x7fff_0000 | ((i * 40503) & 0xffff)) >>> 0));
  const scratch = allocateClusterScratch(device, layout);
  const ring = new TestRing(device, problem);
  const { keys, values, segment } = ring;
  const build = await bindClusterBuild(device, { layout, ring: problem.ring, keys, values, clusters, tokenWords: tokenWordBuffer, scratch, segment: segment.buffer });
  ring.eachSegment((pass, segments) => build.encode(pass, segments));
  const readback = new Readback(device);
  const recordWords = kvHeads * clusterCount * (headDim / 4 + 1);
  const centroidWords = await readback.words(clusters.centroids, 0, recordWords);
  const valueWords = await readback.words(clusters.valueMeans, 0, recordWords);
  const counts = [...(await readback.words(clusters.counts, 0, kvHeads * clusterCount))];
  const tokenWords = [...(await readback.words(tokenWordBuffer, 0, kvHeads * capacityTokens))];
  // Of each head the first segment at work.
  const atWork = scratch.size / 4 / kvHeads;
  const scratchFloats = new Float32Array((kvHeads * atWork) / segmentsAtOnce);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) scratchFloats.set(await readback.floats(scratch, kvHead * atWork, atWork / segmentsAtOnce), (kvHead * atWork) / segmentsAtOnce);
  readback.free();
  ring.free();
  device.memory.free(scratch);
  const heads = Array.from({ length: kvHeads }, (_, kvHead) => kvHead);
  const perHead = <T>(all: readonly T[], size: number): T[][] => heads.map((kvHead) => all.slice(kvHead * size, (kvHead + 1) * size));
  const vectors = (words: Uint32Array): Float64Array[][] =>
    perHead(Array.from({ length: kvHeads * clusterCount }, (_, index) => readEightBit(words, index, headDim)), clusterCount);
  return {
    clusters,
    tokenWordBuffer,
    centroids: vectors(centroidWords),
    valueMeans: vectors(valueWords),
    centroidWords,
    valueWords,
    counts: perHead(counts, clusterCount),
    tokenWords: perHead(tokenWords, capacityTokens),
    assignment: perHead(tokenWords.map((word) => word >>> 16), capacityTokens),
    scratch: scratchFloats,
    free: () => {
      clusters.free();
      device.memory.free(tokenWordBuffer);
    },
  };
}
