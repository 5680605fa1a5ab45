/** Reference of the sketch kernels, in double precision. */
import { floatToHalf, halfToFloat } from '../../formats/half.ts';
import { dot } from './clusters.ts';

/** Scales that are tried, as shares of the one that clips nothing. */
export const clippingFactors = [0.5, 0.6, 0.7, 0.8, 0.9, 1];

export interface SketchedSegment {
  /** [token][headDim]: what was taken off each key. */
  centres: readonly Float64Array[];
  /** [token], rounded to f16. */
  scales: Float64Array;
  /** [token][headDim], planes bits each. */
  codes: Uint8Array;
}

/** The fixed sign of a dimension: the last bit of a hash of its index (the mixer "lowbias32" of C. Wellons). */
export function rotationSign(dimension: number): 1 | -1 {
  let x = (Math.imul(dimension, 0x9e3779b9) + 0x7f4a7c15) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return ((x ^ (x >>> 16)) & 1) === 1 ? -1 : 1;
}

/** R·vector: signs, then a Walsh–Hadamard transform over each block, the largest power of two that divides the length. */
export function rotate(vector: ArrayLike<number>): Float64Array {
  const block = vector.length & -vector.length;
  const rotated = Float64Array.from({ length: vector.length }, (_, i) => vector[i] * rotationSign(i));
  for (let half = 1; half < block; half *= 2) {
    for (let i = 0; i < rotated.length; i++) {
      if (i & half) continue;
      const [low, high] = [rotated[i], rotated[i + half]];
      rotated[i] = low + high;
      rotated[i + half] = low - high;
    }
  }
  return rotated.map((x) => x / Math.sqrt(block));
}

/** The code whose value is nearest: value = (code - (2^planes - 1) / 2)·scale. */
export function codeOf(x: number, scale: number, planes: number): number {
  const levels = 2 ** planes;
  return scale === 0 ? levels / 2 : Math.min(levels - 1, Math.max(0, Math.floor(x / scale + levels / 2)));
}

/** What the first `planesRead` of a code's planes stand for: the middle of the codes that begin so. */
export function valueOf(code: number, scale: number, planes: number, planesRead = planes): number {
  const step = 2 ** (planes - planesRead);
  return (Math.floor(code / step) * step + (step - 1) / 2 - (2 ** planes - 1) / 2) * scale;
}

/** Squared error of a rotated vector at a scale; of four planes, that of the first two alone counts too. */
export function quantisationError(x: ArrayLike<number>, scale: number, planes: number): number {
  let error = 0;
  for (let i = 0; i < x.length; i++) {
    const code = codeOf(x[i], scale, planes);
    error += (x[i] - valueOf(code, scale, planes)) ** 2;
    if (planes === 4) error += (x[i] - valueOf(code, scale, planes, 2)) ** 2;
  }
  return error;
}

/** The scales that may be chosen for a rotated vector, rounded to f16. */
export function scaleCandidates(x: ArrayLike<number>, planes: number): number[] {
  const magnitudes = Array.from(x, Math.abs);
  const half = (scale: number): number => halfToFloat(floatToHalf(Math.min(scale, 65504)));
  if (planes === 1) return [half((2 * magnitudes.reduce((a, b) => a + b, 0)) / x.length)];
  const highest = magnitudes.reduce((a, b) => Math.max(a, b), 0);
  return clippingFactors.map((factor) => half((factor * highest) / 2 ** (planes - 1)));
}

/** The scale of least error. */
export function chooseScale(x: ArrayLike<number>, planes: number): number {
  const candidates = scaleCandidates(x, planes);
  const errors = candidates.map((scale) => quantisationError(x, scale, planes));
  return candidates[errors.indexOf(Math.min(...errors))];
}

/** Each token's centre: the centroid of its cluster, as it is stored; that of the last one for sinks, which have none. */
export function centresOf(centroids: readonly Float64Array[], assignment: readonly number[]): Float64Array[] {
  return assignment.map((cluster) => centroids[Math.min(cluster, centroids.length - 1)]);
}

/** The sketch of one segment and key-value head: `keys` are [token][headDim], `centres` as well; `dimensions` [headDim] weighs, left out, with 1. */
export function sketchSegment(keys: Float32Array, centres: readonly Float64Array[], planes: number, dimensions?: ArrayLike<number>): SketchedSegment {
  const headDim = keys.length / centres.length;
  const codes = new Uint8Array(keys.length);
  const scales = Float64Array.from(centres, (centre, token) => {
    const x = rotate(centred(keys, centre, token).map((one, i) => one * (dimensions?.[i] ?? 1)));
    const scale = chooseScale(x, planes);
    for (let i = 0; i < headDim; i++) codes[token * headDim + i] = codeOf(x[i], scale, planes);
    return scale;
  });
  return { centres, scales, codes };
}

/** A token's key less its centre. */
export function centred(keys: Float32Array, centre: Float64Array, token: number): Float64Array {
  return centre.map((x, i) => keys[token * centre.length + i] - x);
}

/** Estimates of query·key for every token of a segment from the first `planesRead` planes; `dimensions` as it was sketched with. */
export function estimateScores(query: ArrayLike<number>, segment: SketchedSegment, planes: number, planesRead: number, dimensions?: ArrayLike<number>): Float64Array {
  const headDim = query.length;
  const rotated = rotate(Array.from(query, (one, i) => one / (dimensions?.[i] ?? 1)));
  const ofCentre = new Map([...new Set(segment.centres)].map((centre) => [centre, dot(query, centre)]));
  return segment.scales.map((scale, token) => {
    let score = ofCentre.get(segment.centres[token]) ?? 0;
    for (let i = 0; i < headDim; i++) score += rotated[i] * valueOf(segment.codes[token * headDim + i], scale, planes, planesRead);
    return score;
  });
}
