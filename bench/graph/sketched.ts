/** Keys as the sketch has them, for estimating many queries' scores at once. */
import { innerProducts } from '../../engine/reference/retrieval/graph.ts';
import { rotate, type SketchedSegment, sketchSegment, valueOf } from '../../engine/reference/retrieval/sketch.ts';

export interface SketchedKeys {
  segments: SketchedSegment[];
  planes: number;
  /** Bytes a key: its planes and its scale (f16); a segment's mean is spread over its keys. */
  bytesPerKey: number;
  buildMs: number;
}

/** `keys`: [key][dims], in segments of `segmentTokens`. */
export function sketchKeys(keys: Float32Array, dims: number, { planes, segmentTokens }: { planes: number; segmentTokens: number }): SketchedKeys {
  const startMs = performance.now();
  const width = segmentTokens * dims;
  const segments = Array.from({ length: Math.ceil(keys.length / width) }, (_, i) => sketchSegment(keys.subarray(i * width, (i + 1) * width), dims, planes, 0));
  return { segments, planes, bytesPerKey: (dims * planes) / 8 + 2 + (2 * dims) / segmentTokens, buildMs: performance.now() - startMs };
}

/** Estimates every key's score from the first `planesRead` planes: what `estimateScores` of the reference says. */
export function scoreEstimator({ segments, planes }: SketchedKeys, planesRead: number): (query: Float32Array) => Float64Array {
  const values = segments.map(({ codes, scales, mean }) => Float32Array.from(codes, (code, i) => valueOf(code, scales[Math.floor(i / mean.length)], planes, planesRead)));
  return (query) => {
    const rotated = rotate(query);
    const estimates = values.map((ofSegment, index) => {
      const [fromMean] = innerProducts(segments[index].mean, query);
      return innerProducts(ofSegment, rotated).map((score) => score + fromMean);
    });
    return Float64Array.from(estimates.flatMap((scores) => [...scores]));
  };
}
