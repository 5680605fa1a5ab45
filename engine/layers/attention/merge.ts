/** Partial results of attention over disjoint sets of keys, and their exact merge. */
import mergeText from '../../../shaders/attention_merge.wgsl';
import mergeSlicesText from '../../../shaders/attention_merge_slices.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch, type Kernel } from '../../device/kernel.ts';
import { type KernelFamily, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';

/** Where kernels leave (output, log-sum-exp) for each split of the keys. */
export interface Partials {
  /** [split][rows·heads][headDim] f32, normalised within the split. */
  outputs: GPUBuffer;
  /** [split][rows·heads] f32; -1e30 for a split without keys. */
  logSumExps: GPUBuffer;
}

export function allocatePartials(device: Device, splits: number, vectors: number, headDim: number): Partials {
  return {
    outputs: device.memory.storage('activations', 'attention partials', splits * vectors * headDim * 4),
    logSumExps: device.memory.storage('activations', 'attention log-sum-exps', splits * vectors * 4),
  };
}

const scratch = new WeakMap<Device, Map<string, Partials>>();

/** Partials that all layers of a shape share: each layer merges them before the next one writes. */
export function sharedPartials(device: Device, splits: number, vectors: number, headDim: number): Partials {
  let known = scratch.get(device);
  if (!known) scratch.set(device, (known = new Map()));
  const key = `${splits} ${vectors} ${headDim}`;
  let partials = known.get(key);
  if (!partials) known.set(key, (partials = allocatePartials(device, splits, vectors, headDim)));
  return partials;
}

export interface BoundMerge {
  /** Merges `splits` parts of `vectors` = rows·heads vectors; both count the layout of the partials. */
  encode(pass: GPUComputePassEncoder, splits: number, vectors: number): void;
}

/** Splits that a layer's own cache is attended to in at most. */
export const mostSplits = 128;

/** Splits that results are merged from at most: GPUs hold their weights in workgroup memory. */
export const mostMergedSplits = 256;

function mergeKernel(device: Device, family: KernelFamily): Promise<Kernel> {
  if (family === 'workgroup') {
    return device.kernels.get({ label: 'attention_merge_slices', texts: [mergeSlicesText], constants: { THREADS: 128, MOST_SPLITS: mostMergedSplits, RUNS: 16 } });
  }
  return device.kernels.get({ label: 'attention_merge', texts: [mergeText], constants: { INVOCATIONS: device.facts.subgroupLanes } });
}

export async function bindMerge(
  device: Device,
  io: { partials: Partials; output: GPUBuffer | GPUBufferBinding; headDim: number },
  family = kernelFamilies(device)[0],
): Promise<BoundMerge> {
  const kernel = await mergeKernel(device, family);
  const bindings = new Map<number, GPUBindGroup>();
  return {
    encode(pass, splits, vectors) {
      if (splits > mostMergedSplits) throw new RangeError(`${splits} parts are more than can be merged at once`);
      const key = vectors * 65536 + splits;
      let group = bindings.get(key);
      if (!group) {
        const shape = sharedUniform(device, 'merge shape', [splits, vectors, io.headDim / 4]);
        group = kernel.bind(shape, io.partials.outputs, io.partials.logSumExps, io.output);
        bindings.set(key, group);
      }
      encodeDispatch(pass, { kernel, bindings: group }, vectors);
    },
  };
}
