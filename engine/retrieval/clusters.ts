/**
 * The estimated remainder: what is not attended exactly is represented by clusters of about 16 tokens (32 without a sketch), made for each
 * segment when it is sealed. Source: RetroInfer's wave index (arXiv 2505.02922, §4), with every round of k-means
 * inside its segment, so that sealed segments never change.
 */
import assignText from '../../shaders/cluster_assign.wgsl';
import meanText from '../../shaders/cluster_mean.wgsl';
import moveText from '../../shaders/cluster_move.wgsl';
import normaliseText from '../../shaders/cluster_normalise.wgsl';
import segmentText from '../../shaders/cluster_segment.wgsl';
import storeText from '../../shaders/cluster_store.wgsl';
import loadText from '../../shaders/kv_load.wgsl';
import type { Device } from '../device/device.ts';
import { type Dispatch, encodeDispatch, type Kernel } from '../device/kernel.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { clusterCapacity, clusteringRounds, clustersPerSegment, clusterTokensOf, eightBitRecordWords, type FarLayout, noCluster, segmentsAtOnce, sinkTokens } from './layout.ts';

/** Bytes of a layer's clusters, without the token → cluster map, which shares the sketch's words. */
export function clusterBytes(layout: FarLayout): number {
  const { records, counts } = partBytes(layout);
  return 2 * records + 2 * counts;
}

/** Bytes of the scratch that all layers of a shape share while their clusters are built. */
export function clusterScratchBytes(layout: FarLayout): number {
  return layout.kvHeads * segmentsAtOnce * (3 * clustersPerSegment(layout) + 1) * layout.headDim * 4;
}

/** The clusters of one layer. A cluster's index is segment · clustersPerSegment + its number in the segment. */
export class Clusters {
  /** [kvHead][clusterCapacity][eightBitRecordWords] u32: mean key of the members, in 8 bits. */
  readonly centroids: GPUBuffer;
  /** The same of their values. */
  readonly valueMeans: GPUBuffer;
  /** [kvHead][clusterCapacity] u32: members; 0 for an empty cluster, whose vectors mean nothing. */
  readonly counts: GPUBuffer;
  /** The same shape: members that the last step did not attend to exactly. */
  readonly remaining: GPUBuffer;
  readonly #device: Device;

  private constructor(device: Device, layout: FarLayout, label: string) {
    const { records, counts } = partBytes(layout);
    this.#device = device;
    this.centroids = device.memory.storage('kv', `${label} centroids`, records);
    this.valueMeans = device.memory.storage('kv', `${label} value means`, records);
    this.counts = device.memory.storage('kv', `${label} cluster counts`, counts);
    this.remaining = device.memory.storage('kv', `${label} remaining members`, counts);
  }

  /** Wrap in `device.memory.checked`: the buffers may not fit. */
  static create(device: Device, layout: FarLayout, options: { label: string }): Clusters {
    checkClusterLayout(layout);
    return new Clusters(device, layout, options.label);
  }

  free(): void {
    for (const buffer of [this.centroids, this.valueMeans, this.counts, this.remaining]) this.#device.memory.free(buffer);
  }
}

/** `clusterScratchBytes` of scratch: centroids and value means of the segments at work, in f32. */
export function allocateClusterScratch(device: Device, layout: FarLayout): GPUBuffer {
  return device.memory.storage('activations', 'cluster scratch', clusterScratchBytes(layout));
}

export interface ClusterBuildBuffers {
  layout: FarLayout;
  /** Of `keys` and `values`; holds at least the segment's tokens. */
  ring: KvLayout;
  keys: GPUBuffer;
  values: GPUBuffer;
  clusters: Clusters;
  /** [kvHead][capacityTokens] u32: the high 16 bits become the token's cluster in its segment, or `noCluster`; the low 16 stay. */
  tokenWords: GPUBuffer;
  /** From `allocateClusterScratch`; shared by layers. */
  scratch: GPUBuffer;
  /** A `SegmentUniform`: the first segment, written before the submission. */
  segment: GPUBuffer;
}

export interface BoundClusterBuild {
  /** Clusters so many segments, `segmentsAtOnce` at most, from the one that the uniform names on, for all heads of the layer. */
  encode(pass: GPUComputePassEncoder, segments: number): void;
}

export async function bindClusterBuild(device: Device, io: ClusterBuildBuffers): Promise<BoundClusterBuild> {
  const { layout, ring, clusters } = io;
  const { kvHeads, headDim, segmentTokens, capacityTokens } = layout;
  checkClusterLayout(layout);
  if (ring.kvHeads !== kvHeads || ring.headDim !== headDim) throw new RangeError('the ring and the clusters differ in their heads');
  if (ring.capacitySlots < segmentTokens) throw new RangeError(`a ring of ${ring.capacitySlots} slots cannot hold a segment of ${segmentTokens} tokens`);
  const kernels = await clusterKernels(device, layout, ring.format);
  const shape = sharedUniform(device, 'cluster shape', [ring.capacitySlots, capacityTokens, segmentTokens, headDim / 4, segmentsAtOnce]);
  const common = [io.segment, shape, io.keys, io.scratch] as const;
  const dispatch = (kernel: Kernel, ...buffers: GPUBuffer[]): Dispatch => ({ kernel, bindings: kernel.bind(...buffers) });
  const mean = dispatch(kernels.mean, ...common);
  const start = dispatch(kernels.start, ...common);
  const normalise = dispatch(kernels.normalise, shape, io.scratch);
  const assign = dispatch(kernels.assign, ...common, io.tokenWords);
  const move = dispatch(kernels.move, ...common, io.tokenWords);
  const end = dispatch(kernels.end, ...common, io.tokenWords, io.values, clusters.counts);
  const store = dispatch(kernels.store, io.segment, shape, io.scratch, clusters.centroids, clusters.valueMeans);
  const perSegment = clustersPerSegment(layout);
  const vectorUnits = Math.ceil((perSegment * headDim) / 4 / 64);
  return {
    encode(pass, segments) {
      if (segments > segmentsAtOnce) throw new RangeError(`${segments} segments are more than the ${segmentsAtOnce} that are clustered at once`);
      encodeDispatch(pass, mean, headDim / 16, kvHeads, segments);
      encodeDispatch(pass, start, vectorUnits, kvHeads, segments);
      for (let round = 1; round <= clusteringRounds; round++) {
        encodeDispatch(pass, normalise, Math.ceil(perSegment / 32), kvHeads, segments);
        encodeDispatch(pass, assign, (segmentTokens * kernels.parts) / 64, kvHeads, segments);
        encodeDispatch(pass, round < clusteringRounds ? move : end, vectorUnits, kvHeads, segments);
      }
      encodeDispatch(pass, store, Math.ceil((2 * perSegment) / 64), kvHeads, segments);
    },
  };
}

interface ClusterKernels {
  mean: Kernel;
  start: Kernel;
  normalise: Kernel;
  assign: Kernel;
  /** Invocations that share a token while it is assigned. */
  parts: number;
  move: Kernel;
  /** `move` of the last round. */
  end: Kernel;
  store: Kernel;
}

async function clusterKernels(device: Device, layout: FarLayout, format: KvLayout['format']): Promise<ClusterKernels> {
  // Adapters that compute on the processor are slow at barriers and have few threads to keep busy.
  const software = device.facts.kind === 'software';
  const parts = software ? 1 : 4;
  const partClusters = clustersPerSegment(layout) / parts;
  const tile = partClusters % 8 === 0 ? 8 : partClusters % 4 === 0 ? 4 : partClusters;
  const constants = {
    HALF_CACHE: format === 'f16',
    WIDE: false,
    SINK_TOKENS: sinkTokens,
    NO_CLUSTER: noCluster,
    CLUSTER_TOKENS: clusterTokensOf(layout),
  };
  const kernel = (label: string, texts: string[], more = {}): Promise<Kernel> => device.kernels.get({ label, texts, constants: { ...constants, ...more } });
  const segmentTexts = [loadText, segmentText];
  const [mean, start, normalise, assign, move, end, store] = await Promise.all([
    kernel('cluster_mean', [...segmentTexts, meanText], { INVOCATIONS: software ? 4 : 128 }),
    kernel('cluster_move', [...segmentTexts, moveText], { START: true, LAST: false }),
    kernel('cluster_normalise', [normaliseText]),
    kernel('cluster_assign', [...segmentTexts, assignText], { PARTS: parts, SPLIT: parts > 1, TILE: tile }),
    kernel('cluster_move', [...segmentTexts, moveText], { START: false, LAST: false }),
    kernel('cluster_move', [...segmentTexts, moveText], { START: false, LAST: true }),
    kernel('cluster_store', [storeText]),
  ]);
  return { mean, start, normalise, assign, parts, move, end, store };
}

/** Throws a RangeError for layouts that the kernels cannot do. */
export function checkClusterLayout(layout: FarLayout): void {
  const { headDim, segmentTokens, capacityTokens } = layout;
  if (headDim % 16 !== 0 || headDim > 256) throw new RangeError(`heads of ${headDim} dimensions cannot be clustered`);
  if (segmentTokens % 64 !== 0 || clustersPerSegment(layout) >= noCluster) throw new RangeError(`segments of ${segmentTokens} tokens cannot be clustered`);
  if (capacityTokens % segmentTokens !== 0) throw new RangeError(`${capacityTokens} tokens are not whole segments of ${segmentTokens}`);
}

function partBytes(layout: FarLayout): { records: number; counts: number } {
  const clusters = layout.kvHeads * clusterCapacity(layout);
  return { records: clusters * eightBitRecordWords(layout.headDim) * 4, counts: clusters * 4 };
}
