/** Keys as the sketch has them, for estimating many queries' scores at once. */
import { innerProducts } from '../../engine/reference/retrieval/graph.ts';
import { clusterSegment } from '../../engine/reference/retrieval/clusters.ts';
import { centresOf, rotate, type SketchedSegment, sketchSegment, valueOf } from '../../engine/reference/retrieval/sketch.ts';
import { clusterTokens } from '../../engine/retrieval/layout.ts';

export interface SketchedKeys {
  segments: SketchedSegment[];
  planes: number;
  /** Bytes a key: its planes, its scale (f16) and the number of its cluster, whose centroid is spread over its keys. */
  bytesPerKey: number;
  buildMs: number;
}

/** `keys`: [key][dims], whole segments of `segmentTokens`. */
export function sketchKeys(keys: Float32Array, dims: number, { planes, segmentTokens }: { planes: number; segmentTokens: number }): SketchedKeys {
  const startMs = performance.now();
  const width = segmentTokens * dims;
  const segments = Array.from({ length: keys.length / width }, (_, i) => {
    const vectors = keys.subarray(i * width, (i + 1) * width);
    const ofTokens = Array.from({ length: vectors.length / dims }, (__, token) => vectors.subarray(token * dims, (token + 1) * dims));
    const { centroids, assignment } = clusterSegment(ofTokens, ofTokens, 0);
    return sketchSegment(vectors, centresOf(centroids, assignment), planes);
  });
  return { segments, planes, bytesPerKey: (dims * planes) / 8 + 4 + (dims + 4) / clusterTokens, buildMs: performance.now() - startMs };
}

/** Estimates every key's score from the first `planesRead` planes: what `estimateScores` of the reference says. */
export function scoreEstimator({ segments, planes }: SketchedKeys, planesRead: number): (query: Float32Array) => Float64Array {
  const values = segments.map(({ codes, scales }) => Float32Array.from(codes, (code, i) => valueOf(code, scales[Math.floor((i * scales.length) / codes.length)], planes, planesRead)));
  const centres = segments.map((segment) => Float32Array.from(segment.centres.flatMap((centre) => [...centre])));
  return (query) => {
    const rotated = rotate(query);
    const estimates = values.map((ofSegment, index) => {
      const ofCentres = innerProducts(centres[index], query);
      return innerProducts(ofSegment, rotated).map((score, token) => score + ofCentres[token]);
    });
    return Float64Array.from(estimates.flatMap((scores) => [...scores]));
  };
}
