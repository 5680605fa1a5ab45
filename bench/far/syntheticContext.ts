/** Fills a model's far layers with noise instead of reading a text: through rings, sealing and index as reading does. */
import type { Device } from '../../engine/device/device.ts';
import { encodeDispatch } from '../../engine/device/kernel.ts';
import { packUniforms } from '../../engine/device/uniforms.ts';
import type { LoadedModel } from '../../engine/model.ts';
import noiseText from '../planted/noise.wgsl';

export interface FillOptions {
  tokens: number;
  onProgress?: (tokens: number) => void;
}

/** The sequence then has `tokens` tokens, a multiple of the plan's segments; resolves with how long that took. */
export async function fillContext(device: Device, { runner, sequence }: LoadedModel, { tokens, onProgress }: FillOptions): Promise<{ ms: number }> {
  const { far } = runner;
  if (!far) throw new RangeError('all keys and values are on the GPU');
  const startMs = performance.now();
  const { layout, ringSlots } = far.plan;
  const { kvHeads, headDim, segmentTokens } = layout;
  const headWords = headDim / 2;
  const kernel = await device.kernels.get({ label: 'noise', texts: [noiseText], constants: {} });
  const means = device.memory.storage('activations', 'mean keys', 4 * kvHeads * headDim);
  const noise = far.layers.map(({ memory: { ring } }) => {
    const span = device.memory.allocate('activations', 'noise span', 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
    return { span, bindings: kernel.bind(span, means, ring.keys, ring.values) };
  });
  for (let position = 0; position < tokens; position += segmentTokens) {
    await far.makeRoom({ rows: segmentTokens, position });
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'noise' });
    for (const [layer, { span, bindings }] of noise.entries()) {
      device.gpu.queue.writeBuffer(span, 0, packUniforms([(layer + 1) * 0x51ed270b, position, ringSlots, headWords, kvHeads]));
      encodeDispatch(pass, { kernel, bindings }, Math.ceil((kvHeads * headWords) / 64), segmentTokens);
    }
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    for (let i = 0; i < segmentTokens; i++) sequence.append(0);
    if (position % (16 * segmentTokens) === 0) {
      await device.finished();
      onProgress?.(position + segmentTokens);
    }
  }
  await far.settled();
  await far.store.settled();
  await device.finished();
  for (const buffer of [means, ...noise.map(({ span }) => span)]) device.memory.free(buffer);
  return { ms: performance.now() - startMs };
}
