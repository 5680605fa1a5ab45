/** Where a far segment's share of a layer's index lies, for all its buffers: what is kept with the segment, and put back. */
import { meanTokens } from '../../layers/sparseReading/sparseReading.ts';
import { clusterCapacity, clustersPerSegment, eightBitRecordWords, type FarLayout } from '../../retrieval/layout.ts';
import { planeWords } from '../../retrieval/sketch.ts';
import type { FarMemory } from './farLayer.ts';

export interface BufferRange {
  buffer: GPUBuffer;
  offsetBytes: number;
  sizeBytes: number;
}

/**
 * Always in the same order, so that their bytes one after the other are a format. Sizes are multiples of 4; each range
 * of the next segment begins where that of this one ends.
 */
export function indexRanges({ sketch, clusters, keyMeans }: FarMemory, layout: FarLayout, segment: number): BufferRange[] {
  const { kvHeads, headDim, segmentTokens, capacityTokens, planes } = layout;
  const perSegment = clustersPerSegment(layout);
  const recordWords = eightBitRecordWords(headDim);
  const ranges: BufferRange[] = [];
  const add = (buffer: GPUBuffer, firstWord: number, words: number): void => {
    ranges.push({ buffer, offsetBytes: 4 * firstWord, sizeBytes: 4 * words });
  };
  for (let head = 0; head < kvHeads; head++) {
    const tokenWords = planeWords(headDim);
    for (let plane = 0; plane < planes; plane++) {
      add(sketch.planes, ((head * planes + plane) * capacityTokens + segment * segmentTokens) * tokenWords, segmentTokens * tokenWords);
    }
    add(sketch.tokenWords, head * capacityTokens + segment * segmentTokens, segmentTokens);
    const firstCluster = head * clusterCapacity(layout) + segment * perSegment;
    add(clusters.centroids, firstCluster * recordWords, perSegment * recordWords);
    add(clusters.valueMeans, firstCluster * recordWords, perSegment * recordWords);
    add(clusters.counts, firstCluster, perSegment);
    const meansWords = headDim / 2 / meanTokens;
    if (keyMeans) add(keyMeans, (head * capacityTokens + segment * segmentTokens) * meansWords, segmentTokens * meansWords);
  }
  return ranges;
}
