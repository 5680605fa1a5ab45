/**
 * The estimated remainder: what is not attended exactly is represented by clusters of about 16 tokens, made for each
 * segment when it is sealed. Source: RetroInfer's wave index (arXiv 2505.02922, §4), with every round of k-means
 * inside its segment, so that sealed segments never change.
 */
import assignText from '../../shaders/cluster_assign.wgsl';
import meanText from '../../shaders/cluster_mean.wgsl';
import membersText from '../../shaders/cluster_members.wgsl';
import reduceText from '../../shaders/cluster_reduce.wgsl';
import segmentText from '../../shaders/cluster_segment.wgsl';
import storeText from '../../shaders/cluster_store.wgsl';
import updateText from '../../shaders/cluster_update.wgsl';
import loadText from '../../shaders/kv_load.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch, type Kernel } from '../device/kernel.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { clusteringRounds, clustersPerSegment, clusterTokens, eightBitRecordWords, type FarLayout, noCluster, sinkTokens } from './layout.ts';

/** Bytes of a layer's clusters, without the token → cluster map, which shares the sketch's words. */
export function clusterBytes(layout: FarLayout): number {
  const { records, counts } = partBytes(layout);
  return 2 * records + counts;
}

/** Bytes of the scratch that all layers of a shape share while their clusters are built. */
export function clusterScratchBytes(layout: FarLayout): number {
  return layout.kvHeads * (clustersPerSegment(layout) + 1) * layout.headDim * 4;
}

/** The clusters of one layer. A cluster's index is segment · clustersPerSegment + its number in the segment. */
export class Clusters {
  /** [kvHead][capacityTokens / 16][eightBitRecordWords] u32: mean key of the members, in 8 bits. */
  readonly centroids: GPUBuffer;
  /** The same of their values. */
  readonly valueMeans: GPUBuffer;
  /** [kvHead][capacityTokens / 16] u32: members; 0 for an empty cluster, whose vectors mean nothing. */
  readonly counts: GPUBuffer;
  readonly #device: Device;

  private constructor(device: Device, layout: FarLayout, label: string) {
    const { records, counts } = partBytes(layout);
    this.#device = device;
    this.centroids = device.memory.storage('kv', `${label} centroids`, records);
    this.valueMeans = device.memory.storage('kv', `${label} value means`, records);
    this.counts = device.memory.storage('kv', `${label} cluster counts`, counts);
  }

  /** Wrap in `device.memory.checked`: the buffers may not fit. */
  static create(device: Device, layout: FarLayout, options: { label: string }): Clusters {
    checkClusterLayout(layout);
    return new Clusters(device, layout, options.label);
  }

  free(): void {
    for (const buffer of [this.centroids, this.valueMeans, this.counts]) this.#device.memory.free(buffer);
  }
}

/** `clusterScratchBytes` of scratch: the centroids of the segment at work, in f32. */
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
  /** A `SegmentUniform`: which segment, written before the submission. */
  segment: GPUBuffer;
}

export interface BoundClusterBuild {
  /** Clusters the segment that the uniform names, for all heads of the layer. */
  encode(pass: GPUComputePassEncoder): void;
}

export async function bindClusterBuild(device: Device, io: ClusterBuildBuffers): Promise<BoundClusterBuild> {
  const { layout, ring, clusters } = io;
  const { kvHeads, headDim, segmentTokens, capacityTokens } = layout;
  checkClusterLayout(layout);
  if (ring.kvHeads !== kvHeads || ring.headDim !== headDim) throw new RangeError('the ring and the clusters differ in their heads');
  if (ring.capacitySlots < segmentTokens) throw new RangeError(`a ring of ${ring.capacitySlots} slots cannot hold a segment of ${segmentTokens} tokens`);
  const { mean, start, assign, update, store } = await clusterKernels(device, layout, ring.format);
  const shape = sharedUniform(device, 'cluster shape', [ring.capacitySlots, capacityTokens]);
  const common = [io.segment, shape, io.keys, io.scratch] as const;
  const bound = (kernel: Kernel, ...more: GPUBuffer[]) => ({ kernel, bindings: kernel.bind(...common, ...more) });
  const perCluster = clustersPerSegment(layout);
  const dispatches = {
    mean: bound(mean),
    start: bound(start),
    assign: bound(assign, io.tokenWords),
    update: bound(update, io.tokenWords),
    store: bound(store, io.tokenWords, io.values, clusters.centroids, clusters.valueMeans, clusters.counts),
  };
  return {
    encode(pass) {
      encodeDispatch(pass, dispatches.mean, headDim / 16, kvHeads);
      encodeDispatch(pass, dispatches.start, perCluster, kvHeads);
      for (let round = 1; round <= clusteringRounds; round++) {
        encodeDispatch(pass, dispatches.assign, segmentTokens / 16, kvHeads);
        encodeDispatch(pass, round < clusteringRounds ? dispatches.update : dispatches.store, perCluster, kvHeads);
      }
    },
  };
}

interface ClusterKernels {
  mean: Kernel;
  start: Kernel;
  assign: Kernel;
  update: Kernel;
  store: Kernel;
}

async function clusterKernels(device: Device, layout: FarLayout, format: KvLayout['format']): Promise<ClusterKernels> {
  const clusters = clustersPerSegment(layout);
  const units = layout.headDim / 4;
  const invocations = 128;
  const constants = {
    HALF_CACHE: format === 'f16',
    WIDE: false,
    FUSED: false,
    SEGMENT_TOKENS: layout.segmentTokens,
    CLUSTERS: clusters,
    QUARTER: clusters / 4,
    HEAD_UNITS: units,
    SINK_TOKENS: sinkTokens,
    NO_CLUSTER: noCluster,
    INVOCATIONS: invocations,
    SLICES: Math.floor(invocations / units),
  };
  const kernel = (label: string, texts: string[], more = {}): Promise<Kernel> =>
    device.kernels.get({ label, texts: [loadText, segmentText, ...texts], constants: { ...constants, ...more } });
  const [mean, start, assign, update, store] = await Promise.all([
    kernel('cluster_mean', [meanText]),
    kernel('cluster_update', [reduceText, updateText], { START: true }),
    kernel('cluster_assign', [assignText]),
    kernel('cluster_update', [reduceText, membersText, updateText], { START: false }),
    kernel('cluster_store', [reduceText, membersText, storeText]),
  ]);
  return { mean, start, assign, update, store };
}

/** Throws a RangeError for layouts that the kernels cannot do. */
export function checkClusterLayout({ headDim, segmentTokens, capacityTokens }: FarLayout): void {
  if (headDim % 16 !== 0 || headDim > 256) throw new RangeError(`heads of ${headDim} dimensions cannot be clustered`);
  if (segmentTokens % 64 !== 0 || segmentTokens / clusterTokens >= noCluster) throw new RangeError(`segments of ${segmentTokens} tokens cannot be clustered`);
  if (capacityTokens % segmentTokens !== 0) throw new RangeError(`${capacityTokens} tokens are not whole segments of ${segmentTokens}`);
}

function partBytes({ kvHeads, headDim, capacityTokens }: FarLayout): { records: number; counts: number } {
  const clusters = kvHeads * (capacityTokens / clusterTokens);
  return { records: clusters * eightBitRecordWords(headDim) * 4, counts: clusters * 4 };
}
