import { expect, it } from 'vitest';
import { openTestDevice } from '../../testing/device.ts';
import type { WeightFormat } from './format.ts';
import { measureFusion } from './fusion.ts';
import { measureRivals } from './rivals.ts';
import { rowCandidates } from './workgroup.ts';

const format: WeightFormat = { codes: 'u4', scales: 'f16', scaleBlock: 32, zeroPoint: 8 };

it('keeps rivals that agree with the plain kernel and puts out those that compute something else or do not compile', async () => {
  const device = await openTestDevice();
  const [plain, other] = rowCandidates(device);
  const lazy = { ...plain, name: 'lazy', workgroups: () => ({ x: 1, y: 1 }) };
  const broken = { ...plain, name: 'broken', kernel: () => device.kernels.get({ label: 'broken', texts: ['fn main( {'] }) };
  const before = device.memory.report();
  const results = await measureRivals(device, { rivals: [plain, other, lazy, broken], format, rows: 1, outputs: 512 }, 0);
  expect(results.map(({ wrong }) => wrong !== null)).toEqual([false, false, true, true]);
  expect(results[2].wrong).toMatch(/^differs by/);
  expect(results[3].wrong).toContain('does not compile');
  for (const { ms } of results.slice(0, 3)) expect(ms).toBeGreaterThan(0);
  const after = device.memory.report();
  expect(after.weightsBytes).toBe(before.weightsBytes);
  expect(after.stagingBytes).toBe(before.stagingBytes);
  device.destroy();
});

it('times and checks norm and gate inside the product', async () => {
  const device = await openTestDevice();
  const before = device.memory.report();
  const apart = { row: () => undefined, tile: () => undefined, fuses: false };
  const { apartMs, fusedMs, wrong } = await measureFusion(device, apart, format, { inputs: 256, outputs: 512 });
  expect(wrong).toBeNull();
  expect(apartMs).toBeGreaterThan(0);
  expect(fusedMs).toBeGreaterThan(0);
  expect(device.memory.report().weightsBytes).toBe(before.weightsBytes);
  device.destroy();
});
