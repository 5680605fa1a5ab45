/**
 * How much each dimension of a key matters to the queries, before what the sketch keeps of it is rotated and quantised: keys
 * are multiplied by these weights and queries divided by them, which leaves their products and moves the error to
 * where queries have little. Where queries are normalised, the norm's gains say what a query has in each dimension, so that
 * nothing has to be measured or kept.
 */

/** Between what errors would have if dimensions were apart (1/2) and none: found by trying (docs/retrieval.md). */
const exponent = 0.375;
/** Of the largest mean square: what no query seems to have may matter a little. */
const leastShare = 1e-3;

export interface RotatedDimensions {
  headDim: number;
  /** Rotary embedding turns the first so many dimensions, in pairs of neighbours or of the two halves. */
  rotatedDims: number;
  pairing: 'adjacent' | 'halves';
}

/** [headDim], 1 on average. `queryGains`: [headDim] of the norm of queries before rotary embedding; null without one: all are 1. */
export function dimensionWeights(queryGains: Float32Array | null, { headDim, rotatedDims, pairing }: RotatedDimensions): Float32Array<ArrayBuffer> {
  if (!queryGains) return new Float32Array(headDim).fill(1);
  if (queryGains.length !== headDim) throw new RangeError(`${queryGains.length} gains do not fit heads of ${headDim} dimensions`);
  // Turned together, two dimensions have the mean of their squares in turn.
  const squares = Float64Array.from({ length: headDim }, (_, dimension) => (queryGains[dimension] ** 2 + queryGains[partnerOf(dimension, rotatedDims, pairing)] ** 2) / 2);
  const least = leastShare * squares.reduce((most, square) => Math.max(most, square), 0);
  const weights = squares.map((square) => Math.max(square, least) ** exponent);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / headDim;
  // Of gains that are no numbers, which a file may have, nothing can be learnt.
  return Float32Array.from(weights, (weight) => (mean > 0 && mean < Infinity ? weight / mean : 1));
}

function partnerOf(dimension: number, rotatedDims: number, pairing: RotatedDimensions['pairing']): number {
  if (dimension >= rotatedDims) return dimension;
  if (pairing === 'adjacent') return dimension ^ 1;
  return (dimension + rotatedDims / 2) % rotatedDims;
}
