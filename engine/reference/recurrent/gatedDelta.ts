/** References of `delta_gates.wgsl` and `unit_heads.wgsl`. */

/** (decay, strength) of each head: e^(rate · softplus(alpha + bias)), sigmoid(beta). */
export function deltaGates(alpha: ArrayLike<number>, beta: ArrayLike<number>, rate: Float32Array, bias: Float32Array): Float64Array {
  const gates = new Float64Array(2 * rate.length);
  for (let head = 0; head < rate.length; head++) {
    gates[2 * head] = Math.exp(rate[head] * softplus(alpha[head] + bias[head]));
    gates[2 * head + 1] = 1 / (1 + Math.exp(-beta[head]));
  }
  return gates;
}

export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Scales each head vector of `headDim` numbers, in place, to length `scale`. */
export function unitHeads(vectors: Float64Array, headDim: number, scale: number, epsilon: number): void {
  for (let base = 0; base < vectors.length; base += headDim) {
    const head = vectors.subarray(base, base + headDim);
    const factor = scale / Math.sqrt(head.reduce((sum, x) => sum + x * x, 0) + epsilon);
    head.forEach((x, i) => (head[i] = x * factor));
  }
}
