/**
 * How a layer that sees everything is laid out once its context is larger than the GPU's share:
 *
 *     position 0 … sinkTokens     always on the GPU, attended exactly
 *     … step.sealed               "far": sealed in whole segments, stored in RAM and on disk, found by an index
 *     … position + rows           the ring on the GPU, attended exactly
 *
 * Segment 0 holds the sinks too, so that segments stay whole; indexes and estimates pass over them.
 * Source: the product's own measurements of token-level retrieval with an estimated remainder; the zones follow
 * RetroInfer (arXiv 2505.02922, §3) and RetrievalAttention (arXiv 2409.10516, §3).
 */
export interface FarLayout {
  /** Query heads; a multiple of kvHeads. */
  heads: number;
  kvHeads: number;
  /** Divisible by 32. */
  headDim: number;
  /** Tokens of a sealed segment; a multiple of 64. */
  segmentTokens: number;
  /** Most far tokens, a multiple of segmentTokens. */
  capacityTokens: number;
  /** Bits a dimension of the sketch, most significant plane first; 0 without a sketch, where clusters are all there is. */
  planes: 0 | 1 | 2 | 4;
}

/** Tokens at the start that are always attended exactly: attention parks its spare weight there. */
export const sinkTokens = 16;

/** Mean tokens of a cluster of the estimated remainder, beside a sketch. */
export const clusterTokens = 16;

/** A context whose sketch does not fit has no room for as many clusters either. */
export function clusterTokensOf({ planes }: Pick<FarLayout, 'planes'>): number {
  return planes === 0 ? 2 * clusterTokens : clusterTokens;
}

export function clustersPerSegment(layout: Pick<FarLayout, 'planes' | 'segmentTokens'>): number {
  return layout.segmentTokens / clusterTokensOf(layout);
}

/** Of a KV head. */
export function clusterCapacity(layout: Pick<FarLayout, 'planes' | 'capacityTokens'>): number {
  return layout.capacityTokens / clusterTokensOf(layout);
}

/**
 * Words of one key or value vector stored in 8 bits: four signed values a word (value = integer · scale), then the
 * scale as f32 bits. Centroids and value means are stored so as well.
 */
export function eightBitRecordWords(headDim: number): number {
  return headDim / 4 + 1;
}

/** Segments whose index is built at once, at most: the dispatches of one are too small to keep a GPU busy, and each takes time to encode. */
export const segmentsAtOnce = 4;

/** In the high 16 bits of a token's word: the token is in no cluster, because it is a sink or not yet sealed. */
export const noCluster = 0xffff;

/** Rounds of k-means that make a segment's clusters (RetroInfer, arXiv 2505.02922, §4.1). */
export const clusteringRounds = 10;
