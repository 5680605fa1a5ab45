/**
 * Attending to everything that a layer's slots hold: which slots count, and what is left of the clusters without them.
 */
import weightsText from '../../../shaders/slot_weights.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { sharedUniform } from '../../layers/pointwise/bound.ts';
import type { Clusters } from '../../retrieval/clusters.ts';
import { clusterCapacity, clustersPerSegment, clusterTokensOf, type FarLayout, noCluster, sinkTokens } from '../../retrieval/layout.ts';
import type { SlotTable } from './slotTable.ts';

export interface SlotWeightsBuffers {
  /** Among the far layers, from 0. */
  layer: number;
  layout: FarLayout;
  slots: number;
  table: SlotTable;
  clusters: Clusters;
  /** [kvHead][capacityTokens] u32: the cluster in the high 16 bits. */
  tokenWords: GPUBuffer;
  /** [layer][kvHead] u32, written: far tokens that are attended to exactly. */
  held: GPUBuffer;
}

export interface BoundSlotWeights {
  /** Writes `SlotTable.weights`, `Clusters.remaining` of the first `clusterCount` clusters, those of the sealed tokens, and `held`. */
  encode(pass: GPUComputePassEncoder, clusterCount: number): void;
}

export async function bindSlotWeights(device: Device, { layer, layout, slots, table, clusters, tokenWords, held }: SlotWeightsBuffers): Promise<BoundSlotWeights> {
  const { kvHeads, segmentTokens, capacityTokens } = layout;
  const constants = { SEGMENT_TOKENS: segmentTokens, CLUSTERS: clustersPerSegment(layout), CLUSTER_TOKENS: clusterTokensOf(layout), NO_CLUSTER: noCluster };
  const [copy, weigh] = await Promise.all([false, true].map((isWeighing) => device.kernels.get({ label: 'slot_weights', texts: [weightsText], constants: { WEIGH: isWeighing, ...constants } })));
  const shape = sharedUniform(device, 'slot weights shape', [capacityTokens, slots, sinkTokens, layer * kvHeads]);
  const copying = { kernel: copy, bindings: copy.bind(shape, clusters.remaining, held, clusters.counts) };
  const weighing = { kernel: weigh, bindings: weigh.bind(shape, clusters.remaining, held, table.slots, table.slotOf, tokenWords, table.weights) };
  return {
    encode(pass, clusterCount) {
      if (clusterCount > clusterCapacity(layout)) throw new RangeError(`${clusterCount} clusters are more than ${capacityTokens} tokens have`);
      encodeDispatch(pass, copying, Math.max(1, Math.ceil(clusterCount / 64)), kvHeads);
      encodeDispatch(pass, weighing, Math.ceil(slots / 64), kvHeads);
    },
  };
}
