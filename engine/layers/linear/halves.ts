/** A product's input as rows of halves, for kernels that multiply halves. */
import halveRows from '../../../shaders/halve_rows.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, sharedUniform } from '../pointwise/bound.ts';

export interface BoundHalves extends Bound {
  /** [rows][inputs + 8] f16, see halve_rows.wgsl. */
  output: GPUBuffer;
}

/** Rows of any tile that reads halves divide this: kernels read whole tiles, whatever lies behind the last row. */
export const halfRowsGranularity = 256;

const scratch = new WeakMap<Device, Map<string, GPUBuffer>>();

/** Halves that all products of a width share: each is read before the next is written. */
function sharedHalves(device: Device, rows: number, inputs: number): GPUBuffer {
  let known = scratch.get(device);
  if (!known) scratch.set(device, (known = new Map()));
  const padded = Math.ceil(rows / halfRowsGranularity) * halfRowsGranularity;
  const key = `${padded} ${inputs}`;
  let buffer = known.get(key);
  if (!buffer) known.set(key, (buffer = device.memory.storage('activations', 'halves', padded * (inputs + 8) * 2)));
  return buffer;
}

/** `inputs` is divisible by 8. */
export async function bindHalves(device: Device, { input, inputs, rows }: { input: GPUBuffer | GPUBufferBinding; inputs: number; rows: number }): Promise<BoundHalves> {
  const kernel = await device.kernels.get({ label: 'halve_rows', texts: [halveRows], constants: { INVOCATIONS: 128 } });
  const output = sharedHalves(device, rows, inputs);
  const dispatch = { kernel, bindings: kernel.bind(sharedUniform(device, 'halves shape', [inputs / 8]), input, output) };
  return { output, encode: (pass, step) => encodeDispatch(pass, dispatch, step.rows) };
}
