/** Exact scores of far keys, a streamed window at a time: the ceiling of choosing tokens by their scores. */
import loadText from '../../shaders/kv_load.wgsl';
import eightBitText from '../../shaders/kv_load_eight_bit.wgsl';
import scoreText from '../../shaders/score_range.wgsl';
import type { Device } from '../device/device.ts';
import { encodeDispatch } from '../device/kernel.ts';
import { packUniforms } from '../device/uniforms.ts';
import { type FarFormat, recordWords } from '../kv/tiers/record.ts';
import { sharedUniform } from '../layers/pointwise/bound.ts';
import { type FarLayout, sinkTokens } from './layout.ts';

export interface BoundScoreRange {
  /** Takes effect for everything submitted later. */
  write(window: { first: number; tokens: number }): void;
  encode(pass: GPUComputePassEncoder): void;
}

/** `keys`: [kvHead][stride] stored vectors; `scores`: [heads][capacityTokens] f32. */
export async function bindScoreRange(
  device: Device,
  io: { layout: FarLayout; format: FarFormat; queries: GPUBuffer; keys: GPUBuffer; stride: number; scores: GPUBuffer },
): Promise<BoundScoreRange> {
  const { heads, kvHeads, headDim, capacityTokens } = io.layout;
  const eightBit = io.format === 'q8';
  const kernel = await device.kernels.get({
    label: 'score_range',
    texts: [eightBit ? eightBitText : loadText, scoreText],
    constants: {
      HALF_CACHE: !eightBit,
      WIDE: false,
      BY_BITS: device.facts.kind === 'gpu',
      HEAD_UNITS: headDim / 4,
      VECTOR_UNITS: eightBit ? recordWords('q8', headDim) : headDim / 4,
      EIGHT_BIT: eightBit,
      GROUP: heads / kvHeads,
      SINK_TOKENS: sinkTokens,
    },
  });
  const numbers = device.memory.allocate('activations', 'scored window', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  const bindings = kernel.bind(sharedUniform(device, 'score shape', [capacityTokens, io.stride]), numbers, io.queries, io.keys, io.scores);
  let count = 0;
  return {
    write: ({ first, tokens }) => {
      count = tokens;
      device.gpu.queue.writeBuffer(numbers, 0, packUniforms([first, tokens]));
    },
    encode: (pass) => encodeDispatch(pass, { kernel, bindings }, Math.ceil(count / 64), kvHeads),
  };
}
