import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { halfToFloat } from '../../formats/half.ts';
import { normaliseRows } from '../../reference/normalise.ts';
import { rotate } from '../../reference/rotate.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { kernelFamilies, type KernelFamily } from '../pointwise/bound.ts';
import { StepUniform } from '../step.ts';
import type { KvLayout } from './layout.ts';
import { bindRotateAndStore } from './rotateAndStore.ts';
import { largestDifference, randomFloats, runStep } from './testing.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

interface Case {
  headDim: number;
  rotatedDims: number;
  pairing: 'adjacent' | 'halves';
  norm: boolean;
  biased?: boolean;
  temperature?: { rate: number; tokens: number };
  format: KvLayout['format'];
  rows: number;
  position: number;
  /** Size of the projections. */
  scale?: number;
}

async function check(shape: Case) {
  for (const family of kernelFamilies(device)) await checkFamily(shape, family);
}

async function checkFamily({ headDim, rotatedDims, pairing, norm, biased = false, temperature, format, rows, position, scale = 3 }: Case, family: KernelFamily) {
  const [heads, kvHeads, capacitySlots, epsilon, queryScale] = [6, 2, 37, 1e-5, 0.25];
  const width = (heads + 2 * kvHeads) * headDim;
  const projections = randomFloats(rows * width, 1, scale);
  const biases = biased ? randomFloats(width, 5, scale) : undefined;
  const queryNorm = norm ? randomFloats(headDim, 2) : undefined;
  const keyNorm = norm ? randomFloats(headDim, 3) : undefined;
  const angles = randomFloats((rows * rotatedDims) / 2, 4, 3);
  const pairs = new Float32Array(rows * rotatedDims);
  angles.forEach((angle, i) => pairs.set([Math.cos(angle), Math.sin(angle)], 2 * i));
  const cacheFloats = kvHeads * capacitySlots * headDim;
  const keys = device.memory.storage('kv', 'keys', cacheFloats * 4);
  const values = device.memory.storage('kv', 'values', cacheFloats * 4);
  const queries = device.memory.storage('activations', 'queries', rows * heads * headDim * 4);
  const uniform = new StepUniform(device);
  const bound = await bindRotateAndStore(device, {
    projections: upload(device, projections),
    queryNorm: queryNorm && upload(device, queryNorm),
    keyNorm: keyNorm && upload(device, keyNorm),
    biases: biases && upload(device, biases),
    epsilon,
    angles: upload(device, pairs),
    pairing,
    rotatedDims,
    queryScale,
    temperature,
    queries,
    keys,
    values,
    layout: { format, kvHeads, headDim, capacitySlots },
    heads,
    step: uniform.buffer,
    maxRows: rows,
  }, family);
  const actualQueries = await runStep(device, bound, uniform, { rows, position }, queries, rows * heads * headDim);
  const cache = async (buffer: GPUBuffer): Promise<Float32Array> => {
    if (format === 'f32') return new Readback(device).floats(buffer, 0, cacheFloats);
    const halves = new Uint16Array(await new Readback(device).read(buffer, 0, cacheFloats * 2));
    return Float32Array.from(halves, halfToFloat);
  };
  const [actualKeys, actualValues] = [await cache(keys), await cache(values)];
  const tolerance = scale * (format === 'f16' ? 1.5e-3 : 2e-6);
  for (let row = 0; row < rows; row++) {
    const rowAngles = pairs.subarray(row * rotatedDims, (row + 1) * rotatedDims);
    const vector = (index: number) =>
      projections.slice(row * width + index * headDim, row * width + (index + 1) * headDim).map((x, i) => x + (biases ? biases[index * headDim + i] : 0));
    const warmth = temperature ? 1 + temperature.rate * Math.log(1 + Math.floor((position + row) / temperature.tokens)) : 1;
    for (let head = 0; head < heads; head++) {
      const normed = queryNorm ? normaliseRows(vector(head), queryNorm, epsilon) : vector(head);
      const expected = rotate(normed, rowAngles, pairing, rotatedDims).map((x) => x * queryScale * warmth);
      const base = (row * heads + head) * headDim;
      expect(largestDifference(actualQueries.subarray(base, base + headDim), expected)).toBeLessThan(scale * 2e-6);
    }
    for (let head = 0; head < kvHeads; head++) {
      const base = (head * capacitySlots + ((position + row) % capacitySlots)) * headDim;
      const normed = keyNorm ? normaliseRows(vector(heads + head), keyNorm, epsilon) : vector(heads + head);
      const expectedKey = rotate(normed, rowAngles, pairing, rotatedDims);
      expect(largestDifference(actualKeys.subarray(base, base + headDim), expectedKey)).toBeLessThan(tolerance);
      expect(largestDifference(actualValues.subarray(base, base + headDim), vector(heads + kvHeads + head))).toBeLessThan(tolerance);
    }
  }
}

test.each([true, false])('norm %s', async (norm) => {
  for (const pairing of ['adjacent', 'halves'] as const) {
    for (const format of ['f32', 'f16'] as const) {
      await check({ headDim: 64, rotatedDims: 64, pairing, norm, format, rows: 7, position: 33 });
      await check({ headDim: 256, rotatedDims: 256, pairing, norm, format, rows: 1, position: 0 });
    }
  }
});

test.each([80, 96, 128])('%i dimensions, part of them rotated', async (headDim) => {
  for (const pairing of ['adjacent', 'halves'] as const) {
    await check({ headDim, rotatedDims: headDim - 32, pairing, norm: false, format: 'f16', rows: 3, position: 35 });
  }
});

test('nothing rotated; biases with and without norms; queries that grow with the position', async () => {
  await check({ headDim: 64, rotatedDims: 0, pairing: 'adjacent', norm: false, format: 'f32', rows: 5, position: 9 });
  for (const norm of [true, false]) await check({ headDim: 64, rotatedDims: 64, pairing: 'halves', norm, biased: true, format: 'f32', rows: 5, position: 30 });
  await check({ headDim: 64, rotatedDims: 64, pairing: 'adjacent', norm: false, temperature: { rate: 0.5, tokens: 7 }, format: 'f32', rows: 9, position: 5 });
});

test('a shape that the kernel cannot do is refused', async () => {
  await expect(check({ headDim: 64, rotatedDims: 66, pairing: 'halves', norm: false, format: 'f32', rows: 1, position: 0 })).rejects.toThrow(
    'a head of 64 dimensions with 66 rotated is not supported',
  );
});
