import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { floatsToHalves } from '../../formats/half.ts';
import { randomBlocks } from '../../formats/quantisation/testing/randomBlocks.ts';
import { tensorType, type TensorTypeName } from '../../formats/quantisation/tensorTypes.ts';
import { openTestDevice } from '../../testing/device.ts';
import type { TextureKind } from './format.ts';
import type { StoredMatrix } from './matrix.ts';
import { splitRows } from './splitRows.ts';
import { unpackRows } from './storedRows.ts';
import { type Random, randomNumbers, storedMatrix } from './testing/sources.ts';
import { WeightUploader } from './uploader.ts';
import { type LinearWeights, limitsOf } from './weights.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

const types: TensorTypeName[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_NL', 'IQ4_XS', 'MXFP4', 'F16', 'BF16', 'F32'];

function randomMatrix(random: Random, type: TensorTypeName, rows: number, columns: number): StoredMatrix {
  return storedMatrix(type, randomBytes(random, type, rows * columns), rows, columns);
}

/** Small scales, which are subnormal halves, among the others. */
function randomBytes(random: Random, type: TensorTypeName, elements: number): Uint8Array {
  const numbers = () => Float32Array.from({ length: elements }, () => random.normal() * 10 ** random.between(-7, 2));
  if (type === 'F32') return new Uint8Array(numbers().buffer);
  if (type === 'F16') return new Uint8Array(floatsToHalves(numbers()).buffer);
  if (type === 'BF16') return bfloats(Float32Array.from({ length: elements }, () => random.normal()));
  const bytes = randomBlocks(type, elements, () => random.uniform());
  const view = new DataView(bytes.buffer);
  const { blockBytes } = tensorType(type);
  const halfAt = { Q2_K: 80, Q3_K: 108, Q6_K: 208, MXFP4: null }[type as string];
  for (let block = 0; block < bytes.length; block += blockBytes) {
    if (halfAt !== null && random.uniform() < 0.3) view.setUint16(block + (halfAt ?? 0), random.between(0, 1023) | (random.between(0, 1) << 15), true);
    // Every power of two, the two without a normal number too.
    if (type === 'MXFP4') bytes[block] = random.between(0, 254);
  }
  return bytes;
}

function bfloats(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16).buffer);
}

async function words(weights: LinearWeights): Promise<Uint32Array[]> {
  const stores: Uint32Array[] = [];
  for (const store of weights.parts.flatMap((part) => part.stores)) {
    const buffer = 'createView' in store ? copyOf(store) : store;
    stores.push(await readback.words(buffer, 0, buffer.size / 4));
    if (buffer !== store) device.memory.free(buffer);
  }
  return stores;
}

function copyOf(texture: GPUTexture): GPUBuffer {
  const { width, height, format } = texture;
  const bytesPerRow = width * { r32uint: 4, rg32uint: 8, rgba32uint: 16 }[format as 'r32uint' | 'rg32uint' | 'rgba32uint'];
  const buffer = device.memory.storage('activations', 'copy', bytesPerRow * height);
  const encoder = device.gpu.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [width, height]);
  device.gpu.queue.submit([encoder.finish()]);
  return buffer;
}

/** Uploads the same sources from the file and from memory, and compares all that lies on the GPU. */
async function expectEqual(sources: readonly StoredMatrix[], { bindingLimitBytes, texture = null }: { bindingLimitBytes?: number; texture?: TextureKind | null } = {}): Promise<LinearWeights['parts']> {
  const uploader = new WeightUploader(device, { tileColumns: 64, texture }, limitsOf(device, bindingLimitBytes));
  const repacked = await uploader.upload('repacked', sources);
  const packed = await uploader.upload('packed', await Promise.all(sources.map((source) => unpackRows(source))));
  await uploader.finish();
  const { parts } = repacked;
  const shapeOf = ({ parts: all }: LinearWeights) => all.map(({ stores, ...part }) => ({ ...part, stores: stores.length }));
  expect(shapeOf(repacked)).toEqual(shapeOf(packed));
  const [found, expected] = [await words(repacked), await words(packed)];
  for (const [index, store] of expected.entries()) expect(firstDifference(found[index], store), `store ${index}`).toBe(null);
  for (const weights of [repacked, packed]) weights.free();
  return parts;
}

function firstDifference(found: Uint32Array, expected: Uint32Array): string | null {
  const index = expected.findIndex((word, place) => word !== found[place]);
  return index < 0 ? null : `word ${index} of ${expected.length} is ${found[index].toString(16)}, not ${expected[index].toString(16)}`;
}

describe('weights that are repacked on the GPU are those that the CPU packs, bit by bit', () => {
  it.each(types)('%s: random shapes, stacked and split, in buffers and textures', async (type) => {
    for (const [seed, texture] of [[1, null], [2, 'storage'], [3, null], [5, 'sampled']] as const) {
      const random = randomNumbers(seed);
      const { blockElements } = tensorType(type);
      const columns = blockElements === 1 ? random.between(33, 150) * (type === 'F32' ? 1 : 2) : blockElements * random.between(1, 3);
      const sources = Array.from({ length: random.between(1, 3) }, () => randomMatrix(random, type, random.between(1, 150), columns));
      await expectEqual(sources, { bindingLimitBytes: seed === 3 ? 64 * 4 * 1024 : undefined, texture });
    }
  });

  it('stacks types of equal and of different formats', async () => {
    const random = randomNumbers(4);
    const stacked: TensorTypeName[] = ['Q8_0', 'IQ4_NL', 'Q4_0', 'Q4_K', 'F16', 'Q6_K', 'BF16', 'F32'];
    await expectEqual(stacked.map((type, index) => randomMatrix(random, type, 20 + 13 * index, 512)));
  });

  it('streams what is larger than a buffer of the ring, of rows that do not begin at a word', async () => {
    const random = randomNumbers(5);
    const columns = 32 * 33;
    const block = randomBytes(random, 'Q8_0', columns * 257);
    const bytes = new Uint8Array((Math.ceil((9 << 20) / block.length)) * block.length);
    for (let at = 0; at < bytes.length; at += block.length) bytes.set(block, at);
    await expectEqual([storedMatrix('Q8_0', bytes, bytes.length / (34 * 33), columns)]);
  });

  it('takes rows of queries and gates apart', async () => {
    const random = randomNumbers(6);
    const both = randomMatrix(random, 'Q4_0', 2 * 3 * 24, 96);
    for (const half of splitRows(both, 24)) await expectEqual([half]);
  });

  it.each([
    ['too large for halves', 70_000],
    ['too small beside the largest', 2 ** -24 * 1.5],
    ['not a number', NaN],
    ['infinite', Infinity],
  ])('keeps bfloat16 as 32-bit floats where a number is %s', async (_, odd) => {
    const values = Float32Array.from({ length: 40 * 64 }, (__, index) => (index % 7) / 1024);
    values[1234] = odd;
    const wide = storedMatrix('BF16', bfloats(values), 40, 64);
    const narrow = randomMatrix(randomNumbers(7), 'BF16', 30, 64);
    const parts = await expectEqual([narrow, wide]);
    expect(parts.map(({ format }) => format.codes)).toEqual(['f16', 'f32']);
  });

  it('throws what reading fails with, and gives back what it took', async () => {
    const before = device.memory.report();
    const uploader = new WeightUploader(device, { tileColumns: 64, texture: null }, limitsOf(device));
    const broken: StoredMatrix = { ...randomMatrix(randomNumbers(8), 'Q4_0', 64, 64), readRows: () => Promise.reject(new RangeError('the disk is gone')) };
    const weights = await uploader.upload('broken', [broken]);
    await expect(uploader.finish()).rejects.toThrow('the disk is gone');
    weights.free();
    expect(device.memory.report()).toEqual(before);
  });
});
