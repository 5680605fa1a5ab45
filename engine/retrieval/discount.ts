/** Takes the tokens that are attended exactly out of their clusters, so that each key counts exactly once. */
import discountText from '../../shaders/cluster_discount.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch, type Kernel } from '../device/kernel.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { clusterCapacity, clustersPerSegment, clusterTokensOf, type FarLayout, noCluster } from './layout.ts';

export interface DiscountBuffers {
  layout: FarLayout;
  /** [kvHead][maxSelected] u32: positions of far tokens, each once. */
  selectionTokens: GPUBuffer;
  /** [kvHead] u32. */
  selectionCounts: GPUBuffer;
  maxSelected: number;
  /** [kvHead][capacityTokens] u32: the cluster in the high 16 bits. */
  tokenWords: GPUBuffer;
  /** [kvHead][capacityTokens / 16] u32: members of each cluster. */
  counts: GPUBuffer;
  /** The same shape, written: members that are not selected. */
  remaining: GPUBuffer;
}

export interface BoundDiscount {
  /** Both, one after the other. */
  encode(pass: GPUComputePassEncoder, clusterCount: number): void;
  /** For the first `clusterCount` clusters of each head, those of the sealed tokens: all of their members. */
  encodeCounts(pass: GPUComputePassEncoder, clusterCount: number): void;
  /** Takes off the selected tokens; once after the counts. */
  encodeSelection(pass: GPUComputePassEncoder, clusterCount: number): void;
}

export async function bindDiscount(device: Device, io: DiscountBuffers): Promise<BoundDiscount> {
  const { kvHeads } = io.layout;
  const [copy, subtract] = await Promise.all([false, true].map((isSubtraction) => discountKernel(device, io.layout, isSubtraction)));
  const shape = sharedUniform(device, 'discount shape', [clusterCapacity(io.layout), io.maxSelected]);
  const copying = { kernel: copy, bindings: copy.bind(shape, io.remaining, io.counts) };
  const subtracting = {
    kernel: subtract,
    bindings: subtract.bind(shape, io.remaining, io.selectionTokens, io.selectionCounts, io.tokenWords),
  };
  const bound: BoundDiscount = {
    encode(pass, clusterCount) {
      bound.encodeCounts(pass, clusterCount);
      bound.encodeSelection(pass, clusterCount);
    },
    encodeCounts(pass, clusterCount) {
      if (clusterCount > 0) encodeDispatch(pass, copying, Math.ceil(clusterCount / 64), kvHeads);
    },
    encodeSelection(pass, clusterCount) {
      if (clusterCount === 0) return;
      encodeDispatch(pass, subtracting, Math.ceil(Math.min(io.maxSelected, clusterCount * clusterTokensOf(io.layout)) / 64), kvHeads);
    },
  };
  return bound;
}

function discountKernel(device: Device, layout: FarLayout, isSubtraction: boolean): Promise<Kernel> {
  return device.kernels.get({
    label: 'cluster_discount',
    texts: [discountText],
    constants: { SUBTRACT: isSubtraction, SEGMENT_TOKENS: layout.segmentTokens, CLUSTERS: clustersPerSegment(layout), CLUSTER_TOKENS: clusterTokensOf(layout), NO_CLUSTER: noCluster },
  });
}
