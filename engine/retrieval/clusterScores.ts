/** Scores far tokens by their clusters: the ranking of the `clusters` policy (RetroInfer, arXiv 2505.02922, §4.2). */
import scoresText from '../../shaders/cluster_scores.wgsl';
import eightBitText from '../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { checkClusterLayout, type Clusters } from './clusters.ts';
import { clusterCapacity, clustersPerSegment, clusterTokensOf, type FarLayout, noCluster } from './layout.ts';

export interface ClusterScoresBuffers {
  layout: FarLayout;
  /** [heads][headDim] f32, already scaled. */
  queries: GPUBuffer;
  clusters: Clusters;
  /** [kvHead][capacityTokens] u32: the cluster in the high 16 bits. */
  tokenWords: GPUBuffer;
  /** [heads][capacityTokens] f32, written up to the sealed tokens: the score of the token's cluster; -1e30 for sinks. */
  scores: GPUBuffer;
  /**
   * Adds log(members), so that a softmax over clusters weighs them by what they stand for. RetroInfer as published
   * ranks without it, which underrates large loose clusters.
   */
  sizeTerm: boolean;
}

export interface BoundScores {
  /** Scores the tokens before `sealedTokens`, whole segments. */
  encode(pass: GPUComputePassEncoder, sealedTokens: number): void;
}

export async function bindClusterScores(device: Device, io: ClusterScoresBuffers): Promise<BoundScores> {
  const { layout, clusters, sizeTerm } = io;
  const { heads, kvHeads, headDim, segmentTokens } = layout;
  checkClusterLayout(layout);
  const kernel = await device.kernels.get({
    label: 'cluster_scores',
    texts: [eightBitText, scoresText],
    constants: {
      BY_BITS: device.facts.kind === 'gpu',
      SIZE_TERM: sizeTerm,
      GROUP: heads / kvHeads,
      SEGMENT_TOKENS: segmentTokens,
      CLUSTERS: clustersPerSegment(layout),
      CLUSTER_TOKENS: clusterTokensOf(layout),
      HEAD_UNITS: headDim / 4,
      NO_CLUSTER: noCluster,
    },
  });
  const shape = sharedUniform(device, 'cluster scores shape', [clusterCapacity(layout), headDim / 4]);
  const counts = sizeTerm ? [clusters.counts] : [];
  const bindings = kernel.bind(shape, io.queries, clusters.centroids, io.tokenWords, io.scores, ...counts);
  return {
    encode(pass, sealedTokens) {
      if (sealedTokens > 0) encodeDispatch(pass, { kernel, bindings }, sealedTokens / segmentTokens, kvHeads);
    },
  };
}
