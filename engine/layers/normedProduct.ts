/**
 * A norm, the product of what it gives and, in feed-forward layers, the gate of that: three kernels for many rows,
 * fewer for a row alone where the matrix kernels do the others' work themselves.
 */
import type { Device } from '../device/device.ts';
import type { BoundLinear, LinearKernels, LinearWeights, ProductBinding } from './linear/linear.ts';
import { type Part, part, productWork, rowWork } from './part.ts';
import { type Activation, bindGated } from './pointwise/gated.ts';
import { bindNormalise } from './pointwise/normalise.ts';

export interface NormedProduct {
  name: string;
  weights: LinearWeights;
  /** f32 [rows][inputs], before the norm. */
  source: GPUBuffer;
  /** f32 [inputs]; `bias` of a layer norm. */
  gain: GPUBuffer;
  bias: GPUBuffer | null;
  /** Scratch, f32 [rows][inputs]. */
  normed: GPUBuffer;
  /** f32 [rows][outputs]. */
  output: GPUBuffer;
  /** Halves of the outputs are gates and what they let through; `output` f32 [rows][outputs / 2]. */
  gate?: { activation: Activation; output: GPUBuffer };
  epsilon: number;
  step: GPUBuffer;
  maxRows: number;
}

export async function bindNormedProduct(device: Device, kernels: LinearKernels, io: NormedProduct): Promise<Part[]> {
  const { name, weights, source, gain, bias, normed, output, gate, epsilon, step, maxRows } = io;
  const { inputs, outputs } = weights.shape;
  const binding: ProductBinding = { input: normed, output, step, maxRows, norm: bias ? undefined : { source, gain, epsilon }, gate };
  const columns = outputs / 2;
  const [product, norm, gated] = await Promise.all([
    kernels.bind(weights, binding),
    bindNormalise(device, { input: source, weight: gain, bias, output: normed, step, columns: inputs, epsilon, maxRows }),
    gate ? bindGated(device, { gateUp: output, output: gate.output, step, columns, activation: gate.activation }) : null,
  ]);
  const parts = [unless(product, 'norm', part('norms', norm, rowWork(2 * inputs))), part(name, product, productWork(weights))];
  if (!gated) return parts;
  return [...parts, unless(product, 'gate', part('gate', gated, rowWork(3 * columns)))];
}

/** The part where the product does not include it: nothing is encoded and nothing has to be done elsewhere. */
function unless(product: BoundLinear, what: 'norm' | 'gate', one: Part): Part {
  return {
    ...one,
    encode: (pass, step) => {
      if (!product.includes?.(step)[what]) one.encode(pass, step);
    },
    work: (step) => (product.includes?.(step)[what] ? { flops: 0, bytes: 0 } : one.work(step)),
  };
}
