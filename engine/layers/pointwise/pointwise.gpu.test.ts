import { beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { gate, geluTanh, silu } from '../../reference/gated.ts';
import { layerNormRows, normaliseRows } from '../../reference/normalise.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats, runStep } from '../attention/testing.ts';
import { StepUniform } from '../step.ts';
import { kernelFamilies, type KernelFamily } from './bound.ts';
import { bindGated } from './gated.ts';
import { bindNormalise } from './normalise.ts';

let device: Device;
let families: KernelFamily[];
beforeAll(async () => {
  device = await openTestDevice();
  families = kernelFamilies(device);
});

test.each([4, 20, 576, 640, 2048])('normalise %i columns', async (columns) => {
  for (const rows of [1, 7, 64]) {
    for (const scale of [1e-3, 1, 1e4]) {
      const input = randomFloats(rows * columns, columns + rows, scale);
      const weight = randomFloats(columns, 3);
      const before = randomFloats(rows * columns, 4);
      const expected = normaliseRows(input, weight, 1e-6);
      for (const [add, family] of [false, true].flatMap((add) => families.map((family) => [add, family] as const))) {
        const output = upload(device, before);
        const uniform = new StepUniform(device);
        const io = { input: upload(device, input), weight: upload(device, weight), output, step: uniform.buffer, columns, epsilon: 1e-6, maxRows: rows };
        const bound = await bindNormalise(device, { ...io, add }, family);
        const actual = await runStep(device, bound, uniform, { rows, position: 0 }, output, rows * columns);
        expect(largestDifference(actual, add ? expected.map((x, i) => x + before[i]) : expected), family).toBeLessThan(1e-5);
      }
    }
  }
});

test.each([4, 36, 768])('a layer norm of %i columns, far from 0', async (columns) => {
  for (const [offset, family] of [0, 100].flatMap((offset) => families.map((family) => [offset, family] as const))) {
    const input = randomFloats(5 * columns, columns).map((x) => x + offset);
    const [weight, bias] = [randomFloats(columns, 3), randomFloats(columns, 5)];
    const output = device.memory.storage('activations', 'output', 5 * columns * 4);
    const uniform = new StepUniform(device);
    const io = { input: upload(device, input), weight: upload(device, weight), bias: upload(device, bias), output, step: uniform.buffer, columns, epsilon: 1e-5, maxRows: 5 };
    const actual = await runStep(device, await bindNormalise(device, io, family), uniform, { rows: 5, position: 0 }, output, 5 * columns);
    expect(largestDifference(actual, layerNormRows(input, weight, bias, 1e-5)), `${family} around ${offset}`).toBeLessThan(1e-4);
  }
});

test('normalise leaves the rows after the step alone, and zeros stay zeros', async () => {
  const uniform = new StepUniform(device);
  const output = upload(device, new Float32Array(3 * 8).fill(7));
  const input = upload(device, new Float32Array(3 * 8));
  const weight = upload(device, new Float32Array(8).fill(1));
  const bound = await bindNormalise(device, { input, weight, output, step: uniform.buffer, columns: 8, epsilon: 1e-6, maxRows: 3 });
  const actual = await runStep(device, bound, uniform, { rows: 2, position: 0 }, output, 24);
  expect([...actual]).toEqual([...Array(16).fill(0), ...Array(8).fill(7)]);
  await expect(
    bindNormalise(device, { input, weight, output, step: uniform.buffer, columns: 6, epsilon: 1e-6, maxRows: 3 }),
  ).rejects.toThrow('columns 6 must be divisible by 4');
});

test.each([4, 36, 1536, 2048])('gate of %i columns', async (columns) => {
  for (const rows of [1, 7, 64]) {
    for (const scale of [1, 300]) {
      const gateUp = randomFloats(rows * columns * 2, rows + columns, scale);
      for (const [activation, family] of (['silu', 'gelu-tanh'] as const).flatMap((name) => families.map((family) => [name, family] as const))) {
        const uniform = new StepUniform(device);
        const output = device.memory.storage('activations', 'output', rows * columns * 4);
        const bound = await bindGated(device, { gateUp: upload(device, gateUp), output, step: uniform.buffer, columns, activation }, family);
        const actual = await runStep(device, bound, uniform, { rows, position: 0 }, output, rows * columns);
        const expected = gate(gateUp, columns, activation === 'silu' ? silu : geluTanh);
        expect(largestDifference(actual, expected), `${activation} ${family} ${rows}`).toBeLessThan(2e-6 * scale * scale);
      }
    }
  }
});
