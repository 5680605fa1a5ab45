import { expect, it } from 'vitest';
import { StepUniform } from '../layers/step.ts';
import { part, rowWork } from '../layers/part.ts';
import { bindNormalise } from '../layers/pointwise/normalise.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { traceStep } from './timeline.ts';

it('traces the kernels of a step in their order, without those that others include', async () => {
  const device = await openTestDevice();
  expect(device.gpu.features.has('timestamp-query')).toBe(true);
  const step = new StepUniform(device);
  const now = { rows: 64, position: 0 };
  step.write(now);
  const columns = 1024;
  const [input, weight] = [now.rows * columns, columns].map((count) => upload(device, new Float32Array(count).fill(0.5)));
  const output = device.memory.storage('activations', 'output', now.rows * columns * 4);
  const norm = await bindNormalise(device, { input, weight, output, step: step.buffer, columns, epsilon: 1e-5, maxRows: now.rows });
  const before = device.memory.report();
  const parts = [part('first', norm, rowWork(columns)), part('included', norm, rowWork(0)), part('second', norm, rowWork(columns))];
  const timeline = await traceStep(device, parts, now);
  expect(timeline?.map(({ name }) => name)).toEqual(['first', 'second']);
  const [first, second] = timeline ?? [];
  expect(first.startMs).toBe(0);
  expect(first.ms).toBeGreaterThan(0);
  expect(second.startMs).toBeGreaterThanOrEqual(first.ms);
  expect(second.ms).toBeGreaterThan(0);
  expect(device.memory.report()).toEqual(before);
  device.destroy();
});
