/** What measurements of matrix kernels compute with: weights and inputs whose values do not matter, and what makes results wrong. */
import type { Device } from '../../device/device.ts';
import { scaleWordsPerBlock, unitsPerBlock, type WeightFormat } from './format.ts';
import type { LinearShape } from './matrix.ts';
import { LinearWeights, type WeightPart } from './weights.ts';

/** Largest difference from the plain kernel, relative to the root mean square of its results. */
const tolerance = 0.1;

/** What is wrong with results, if anything. */
export function difference(values: Float32Array, plain: Float32Array): string | null {
  let largest = 0;
  let squares = 0;
  for (let index = 0; index < plain.length; index++) {
    const apart = Math.abs(values[index] - plain[index]);
    if (!(apart <= largest)) largest = apart;
    squares += plain[index] ** 2;
  }
  const share = largest / Math.sqrt(squares / plain.length);
  return share <= tolerance ? null : `differs by ${share.toFixed(3)}`;
}

/** Uniform in [-1, 1); a measurement needs no seed. */
export function noise(): number {
  return 2 * Math.random() - 1;
}

/** Packed weights whose values do not matter, as long as they are finite: codes at random, scales of 1/64 and 1/32. */
export function anyWeights(device: Device, format: WeightFormat, { inputs, outputs }: LinearShape): LinearWeights {
  const blocks = inputs / 32;
  const codeBytes = outputs * blocks * unitsPerBlock(format) * 16;
  const scaleBytes = outputs * blocks * scaleWordsPerBlock(format) * 4;
  const codes = filled(device, codeBytes, () => (format.codes === 'f16' ? halfPair() : Math.floor(Math.random() * 2 ** 32)));
  const stores = scaleBytes > 0 ? [codes, filled(device, scaleBytes, scalePair)] : [codes];
  const sizeBytes = codeBytes + scaleBytes;
  const part: WeightPart = { format, firstOutput: 0, outputs, blocks, tileColumns: 64, texture: null, stores, sizeBytes };
  return new LinearWeights(device, 'measurement', { outputs, inputs }, [part]);
}

/** Halves of about ±1/16 and an offset of 0: see `scales` in matmul_weights.wgsl. */
const scalePair = (): number => (Math.random() < 0.5 ? 0x2400 : 0x2800);
const halfPair = (): number => (0x2800 + Math.floor(Math.random() * 1024)) | ((0xa800 + Math.floor(Math.random() * 1024)) << 16);

/** A buffer that repeats a few thousand words: making more on the CPU would take longer than measuring. */
function filled(device: Device, sizeBytes: number, word: () => number): GPUBuffer {
  const buffer = device.memory.storage('weights', 'measurement', sizeBytes);
  let done = Math.min(sizeBytes, 1 << 20);
  device.gpu.queue.writeBuffer(buffer, 0, Uint32Array.from({ length: done / 4 }, word));
  const encoder = device.gpu.createCommandEncoder();
  const chunk = done;
  const source = device.memory.storage('staging', 'measurement', chunk);
  encoder.copyBufferToBuffer(buffer, 0, source, 0, chunk);
  for (; done < sizeBytes; done += chunk) encoder.copyBufferToBuffer(source, 0, buffer, done, Math.min(chunk, sizeBytes - done));
  device.gpu.queue.submit([encoder.finish()]);
  device.memory.free(source);
  return buffer;
}
