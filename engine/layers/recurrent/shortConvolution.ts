/** The causal convolution in front of linear attention, and of LFM2's layers; its last inputs are part of the state. */
import shortConvolutionText from '../../../shaders/short_convolution.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { type Bound, kernelFamilies, sharedUniform } from '../pointwise/bound.ts';
import type { StateCache } from './stateCache.ts';

export interface ShortConvolutionBuffers {
  /** [rows][inputColumns] f32; `channels` of them from `inputOffset` on (with `gated` three blocks) are used. */
  input: GPUBuffer;
  inputColumns: number;
  inputOffset: number;
  /** [channels][taps] f32, the last tap for the row itself. */
  weight: GPUBuffer;
  /** [channels] f32. */
  bias?: GPUBuffer;
  cache: StateCache;
  /** [rows][channels] f32. */
  output: GPUBuffer;
  step: GPUBuffer;
  /** Divisible by 4. */
  channels: number;
  taps: number;
  silu: boolean;
  /** Inputs are b | c | x: convolves b ⊙ x and multiplies the result by c. */
  gated: boolean;
}

export async function bindShortConvolution(device: Device, io: ShortConvolutionBuffers, family = kernelFamilies(device)[0]): Promise<Bound> {
  const { channels, taps, inputColumns, inputOffset, cache } = io;
  if ([channels, inputColumns, inputOffset].some((size) => size % 4 !== 0)) throw new RangeError(`${channels} channels of ${inputColumns} columns must be divisible by 4`);
  const software = family === 'subgroup';
  const invocations = software ? device.facts.subgroupLanes : 64;
  const kernel = await device.kernels.get({
    label: 'short_convolution',
    texts: [shortConvolutionText],
    constants: { INVOCATIONS: invocations, TAPS: taps, SILU: io.silu, GATED: io.gated, BIAS: io.bias !== undefined },
  });
  const shape = sharedUniform(device, 'short convolution shape', [channels / 4, inputColumns / 4, inputOffset / 4]);
  const dispatches = ([0, 1] as const).map((source) => ({
    kernel,
    bindings: kernel.bind(
      io.step,
      shape,
      io.input,
      io.weight,
      cache.slots[source].tail,
      cache.slots[1 - source].tail,
      io.output,
      ...(io.bias ? [io.bias] : []),
    ),
  }));
  return {
    encode(pass, step) {
      // Software adapters pay for each workgroup and have few cores: two for a lone row, one a row else.
      const workgroups = software ? (step.rows === 1 ? 2 : 1) : Math.ceil(channels / 4 / invocations);
      encodeDispatch(pass, dispatches[cache.turn(step)], workgroups, step.rows + taps - 1);
    },
  };
}
