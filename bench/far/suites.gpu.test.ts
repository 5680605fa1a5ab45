import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAdapter } from '../../host/gpu-worker/adapter.ts';
import { defaultPolicy } from '../../engine/kv/tiers/policy.ts';
import { SpillFolder } from '../../host/gpu-worker/spillFolder.ts';
import { type FarBenchOptions, runFarBench } from './suites.ts';
import { SyntheticModel } from './syntheticModel.ts';

const small: Omit<FarBenchOptions, 'tell'> = {
  source: new SyntheticModel('small'),
  choices: new Map(),
  tokens: 2048,
  residentTokens: 512,
  gpuShare: 0.5,
  formats: ['f16', 'q8'],
  policies: (['lagged', 'strict'] as const).map((misses) => ({ label: 'sketch 2%', policy: { ...defaultPolicy, misses } })),
  hitRatios: [1, 0.7],
  steps: 4,
  probeSteps: 3,
  largestShare: 0.05,
  kernels: false,
  note: () => undefined,
};

test('the bench of tiers decodes beyond the GPU at the hit ratios that were asked for', async () => {
  const device = await openAdapter({ boundsChecks: false });
  const told: object[] = [];
  const lines = await runFarBench(device, { ...small, tell: (line) => void told.push(line) });
  expect(lines).toHaveLength(8);
  for (const line of lines) {
    expect(line.tokensPerSecond).toBeGreaterThan(0);
    expect(line.exactShare).toBeGreaterThan(0.01);
    if (line.wantedHitRatio === 1) expect(line).toMatchObject({ hitRatio: 1, fetchedBytesPerStep: 0 });
    else {
      expect(line.hitRatio).toBeGreaterThan(0.4);
      expect(line.hitRatio).toBeLessThan(0.95);
      expect(line.fetchedBytesPerStep).toBeGreaterThan(0);
    }
    // Strict steps attend to all that was chosen.
    if (line.misses === 'strict') expect(line.missedShare).toBe(0);
  }
  expect(told).toHaveLength(1 + 2 + lines.length);
  device.destroy();
});

test('with all of it on disk misses come from there, and how fast the disk reads is told', async () => {
  const device = await openAdapter({ boundsChecks: false });
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-far-'));
  const store = new SpillFolder(folder);
  const told: Record<string, unknown>[] = [];
  const [line] = await runFarBench(device, { ...small, formats: ['f16'], policies: small.policies.slice(0, 1), hitRatios: [0.7], disk: { store, ramShare: 0 }, tell: (one) => void told.push({ ...one }) });
  expect(line.diskBytesPerStep).toBeGreaterThan(0);
  expect(line.fetchedBytesPerStep).toBe(line.diskBytesPerStep);
  const disk = told.find(({ bench }) => bench === 'disk');
  for (const figure of ['blocksPerSecond', 'blockBytesPerSecond', 'runBytesPerSecond']) expect(disk?.[figure]).toBeGreaterThan(0);
  store.removeAll();
  rmSync(folder, { recursive: true });
  device.destroy();
});
