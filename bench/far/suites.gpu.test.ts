import { expect, test } from 'vitest';
import { openAdapter } from '../../host/gpu-worker/adapter.ts';
import { defaultPolicy } from '../../engine/kv/tiers/policy.ts';
import { runFarBench } from './suites.ts';
import { SyntheticModel } from './syntheticModel.ts';

test('the bench of tiers decodes beyond the GPU at the hit ratios that were asked for', async () => {
  const device = await openAdapter({ boundsChecks: false });
  const told: object[] = [];
  const lines = await runFarBench(device, {
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
    tell: (line) => void told.push(line),
    note: () => undefined,
  });
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
