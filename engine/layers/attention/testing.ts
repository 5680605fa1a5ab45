/** What the attention tests share: random problems, caches filled by hand, and a run of one step. */
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { floatToHalf, halfToFloat } from '../../formats/half.ts';
import type { AttentionProblem } from '../../reference/attention.ts';
import type { Bound } from '../pointwise/bound.ts';
import { type Step, StepUniform } from '../step.ts';
import type { KvLayout } from './layout.ts';

/** A small deterministic generator; uniform in [-1, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31) - 1;
  };
}

export function randomFloats(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = randomNumbers(seed);
  return Float32Array.from({ length: count }, () => next() * scale);
}

export const roundToHalf = (value: number): number => halfToFloat(floatToHalf(value));

/** Writes tokens [begin, end) of [tokens][kvHeads][headDim] into a cache's slots, as the kernels would. */
export function fillCache(device: Device, buffer: GPUBuffer, layout: KvLayout, tokens: Float32Array, begin: number, end: number): void {
  const { format, kvHeads, headDim, capacitySlots } = layout;
  const half = format === 'f16';
  const image = half ? new Uint16Array(kvHeads * capacitySlots * headDim) : new Float32Array(kvHeads * capacitySlots * headDim);
  for (let token = begin; token < end; token++) {
    for (let head = 0; head < kvHeads; head++) {
      const target = (head * capacitySlots + (token % capacitySlots)) * headDim;
      for (let i = 0; i < headDim; i++) {
        const value = tokens[(token * kvHeads + head) * headDim + i];
        image[target + i] = half ? floatToHalf(value) : value;
      }
    }
  }
  device.gpu.queue.writeBuffer(buffer, 0, image as Float32Array<ArrayBuffer>);
}

/** Encodes one step and reads `count` floats of `result`. */
export async function runStep(device: Device, bound: Bound, uniform: StepUniform, step: Step, result: GPUBuffer, count: number): Promise<Float32Array> {
  uniform.write(step);
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  bound.encode(pass, step);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  return new Readback(device).floats(result, 0, count);
}

export interface ProblemShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  rows: number;
  position: number;
  window: number | null;
  seed: number;
  /** Size of the queries; 1 gives mild softmaxes, large ones give one-hot softmaxes. */
  queryScale?: number;
  half?: boolean;
}

export function randomProblem(shape: ProblemShape): AttentionProblem {
  const { heads, kvHeads, headDim, rows, position, seed } = shape;
  const tokens = position + rows;
  const keys = randomFloats(tokens * kvHeads * headDim, seed + 1);
  const values = randomFloats(tokens * kvHeads * headDim, seed + 2);
  const queries = randomFloats(rows * heads * headDim, seed, shape.queryScale ?? 1);
  if (!shape.half) return { ...shape, queries, keys, values };
  return { ...shape, queries, keys: keys.map(roundToHalf), values: values.map(roundToHalf) };
}

export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values where ${expected.length} were expected`);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
