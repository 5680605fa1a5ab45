/** Reference of `gated_head_norm.wgsl`. */
import { silu } from '../gated.ts';

export interface HeadNorm {
  headDim: number;
  weight: Float32Array;
  epsilon: number;
  activation: 'silu' | 'sigmoid';
  gated: 'before' | 'after';
}

/** [n · headDim] values and their gates; the weight is repeated. */
export function gatedHeadNorm(values: ArrayLike<number>, gate: ArrayLike<number>, { headDim, weight, epsilon, activation, gated }: HeadNorm): Float64Array {
  const act = activation === 'silu' ? silu : (x: number): number => 1 / (1 + Math.exp(-x));
  const out = Float64Array.from(values, (value, i) => (gated === 'before' ? value * act(gate[i]) : value));
  for (let base = 0; base < out.length; base += headDim) {
    const head = out.subarray(base, base + headDim);
    const scale = 1 / Math.sqrt(head.reduce((sum, x) => sum + x * x, 0) / headDim + epsilon);
    head.forEach((x, i) => {
      head[i] = x * scale * weight[(base + i) % weight.length] * (gated === 'after' ? act(gate[base + i]) : 1);
    });
  }
  return out;
}
