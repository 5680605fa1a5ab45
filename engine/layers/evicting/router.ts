/** The network that judges tokens in `evicting` layers: convolutions that run along with the sequence, then a number a head. */
import retentionScoresText from '../../../shaders/retention_scores.wgsl';
import scoreConvolutionText from '../../../shaders/score_convolution.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';
import type { StateCache } from '../recurrent/stateCache.ts';
import { routerTailRows } from '../../models/evictingSpec.ts';

const invocations = 64;

export interface ScoreConvolutionBuffers {
  /** [rows][stride] f32. */
  input: GPUBuffer;
  stride: number;
  /** Of a group's inputs the first `split` lie from firstOffset on, group after group, the rest from secondOffset on. */
  firstOffset: number;
  secondOffset: number;
  split: number;
  groups: number;
  inputs: number;
  outputs: number;
  /** [groups · outputs][inputs][3] and [groups · outputs] f32. */
  weight: GPUBuffer;
  bias: GPUBuffer;
  cache: StateCache;
  /** Where in the cache's tail the last rows are, f32. */
  tail: { offset: number; floats: number };
  /** Rows by which its results come after their tokens. */
  delayRows: number;
  /** [rows][groups][outputs] f32. */
  output: GPUBuffer;
  step: GPUBuffer;
}

export async function bindScoreConvolution(device: Device, io: ScoreConvolutionBuffers): Promise<Bound> {
  const { groups, inputs, outputs, cache, tail } = io;
  const kernel = await device.kernels.get({ label: 'score_convolution', texts: [scoreConvolutionText], constants: { INVOCATIONS: invocations, DELAY: io.delayRows } });
  const shape = sharedUniform(device, 'score convolution shape', [groups, inputs, outputs, io.stride, io.firstOffset, io.secondOffset, io.split]);
  const dispatches = ([0, 1] as const).map((source) => ({
    kernel,
    bindings: kernel.bind(io.step, shape, io.input, io.weight, io.bias, tailPart(cache, source, tail), tailPart(cache, source === 0 ? 1 : 0, tail), io.output),
  }));
  const workgroups = Math.ceil((groups * Math.max(inputs, outputs)) / invocations);
  return { encode: (pass, step) => encodeDispatch(pass, dispatches[cache.turn(step)], workgroups, step.rows + routerTailRows) };
}

/** A part of what lies behind the matrix in a slot. */
export function tailPart(cache: StateCache, slot: 0 | 1, { offset, floats }: { offset: number; floats: number }): GPUBufferBinding {
  const { buffer, offset: begin = 0 } = cache.slots[slot].tail;
  return { buffer, offset: begin + 4 * offset, size: 4 * floats };
}

export interface RetentionScoresBuffers {
  /** [rows][groups][inputs] f32. */
  input: GPUBuffer;
  groups: number;
  inputs: number;
  /** [groups][inputs] and [groups] f32. */
  weight: GPUBuffer;
  bias: GPUBuffer;
  /** [groups][maxRows] f32. */
  scores: GPUBuffer;
  maxRows: number;
  step: GPUBuffer;
}

export async function bindRetentionScores(device: Device, io: RetentionScoresBuffers): Promise<Bound> {
  const kernel = await device.kernels.get({ label: 'retention_scores', texts: [retentionScoresText], constants: { INVOCATIONS: invocations } });
  const shape = sharedUniform(device, 'retention scores shape', [io.groups, io.inputs, io.maxRows]);
  const dispatch = { kernel, bindings: kernel.bind(io.step, shape, io.input, io.weight, io.bias, io.scores) };
  return { encode: (pass, step) => encodeDispatch(pass, dispatch, Math.ceil(step.rows / invocations), io.groups) };
}
