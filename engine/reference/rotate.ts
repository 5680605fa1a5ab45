/** Reference of `rotate_store.wgsl`: norm and rotary embedding of one head's vector. */

/**
 * Turns the first `rotatedDims` dimensions by `angles`, (cos, sin) for each pair; returns a new vector.
 * 'adjacent' pairs (2i, 2i + 1), 'halves' pairs (i, i + rotatedDims / 2).
 */
export function rotate(vector: Float32Array, angles: Float32Array, pairing: 'adjacent' | 'halves', rotatedDims: number): Float32Array {
  const out = vector.slice();
  for (let i = 0; i < rotatedDims / 2; i++) {
    const first = pairing === 'halves' ? i : 2 * i;
    const second = pairing === 'halves' ? i + rotatedDims / 2 : 2 * i + 1;
    const [cos, sin] = [angles[2 * i], angles[2 * i + 1]];
    out[first] = vector[first] * cos - vector[second] * sin;
    out[second] = vector[first] * sin + vector[second] * cos;
  }
  return out;
}
