/** A kernel bound to its buffers once; each pass only says which step it is. */
import type { Device } from '../../device/device.ts';
import { constantUniform, type UniformValue } from '../../device/uniforms.ts';
import type { Step } from '../step.ts';

export interface Bound {
  encode(pass: GPUComputePassEncoder, step: Step): void;
}

/**
 * `subgroup`: a workgroup is exactly one subgroup. Software adapters run a subgroup as one thread of
 * vector instructions, so lanes exchange values for free, while barriers and workgroup memory are slow.
 * `workgroup`: larger workgroups with workgroup memory, for GPUs; runs everywhere.
 */
export type KernelFamily = 'subgroup' | 'workgroup';

/** The families that the adapter supports, the one to use first. */
export function kernelFamilies(device: Device): KernelFamily[] {
  return device.facts.kind === 'software' && device.facts.subgroupLanes >= 4 ? ['subgroup', 'workgroup'] : ['workgroup'];
}

const shapes = new WeakMap<Device, Map<string, GPUBuffer>>();

/** A constant uniform shared by all dispatches of one shape, so that layers do not repeat it. */
export function sharedUniform(device: Device, label: string, values: readonly UniformValue[]): GPUBuffer {
  let known = shapes.get(device);
  if (!known) shapes.set(device, (known = new Map()));
  const key = JSON.stringify(values);
  let buffer = known.get(key);
  if (!buffer) known.set(key, (buffer = constantUniform(device, label, values)));
  return buffer;
}
