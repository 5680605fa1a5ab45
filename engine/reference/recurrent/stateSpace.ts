/** Reference of `state_space_gates.wgsl`. */
import { softplus } from './gatedDelta.ts';

/** (decay, strength) of each head: e^(rate · Δ), Δ = softplus(input + bias). */
export function stateSpaceGates(input: ArrayLike<number>, rate: Float32Array, bias: Float32Array): Float64Array {
  const gates = new Float64Array(2 * rate.length);
  for (let head = 0; head < rate.length; head++) {
    const step = softplus(input[head] + bias[head]);
    gates.set([Math.exp(rate[head] * step), step], 2 * head);
  }
  return gates;
}
