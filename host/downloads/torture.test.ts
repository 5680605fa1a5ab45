/** A short version of `bench/downloads.ts`: downloads under random faults and kills. */
import { expect, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { bundleDownloader, tortureRun } from '../testing/torture/tortureRun.ts';

test('downloads under random faults and kills end whole or say why, and little is fetched twice', async () => {
  const program = await bundleDownloader(temporaryFolder());
  const model = Buffer.from(tinyModel({ architecture: 'llama', layers: 1, hiddenSize: 256, width: 4096, types: ['F32'] }));
  const runs = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => tortureRun({ seed, model, program, bytesPerSecond: 6e6, faultShare: 0.3, mostKills: 2, lies: seed === 6 })));
  expect(runs.some(({ kills }) => kills > 0)).toBe(true);
  expect(runs.reduce((sum, { faults }) => sum + faults, 0)).toBeGreaterThan(5);
  // A kill costs at most a 256 kB step of the journal, and what was on its way.
  for (const { kills, writtenBytes, sizeBytes } of runs) expect(writtenBytes).toBeLessThan(sizeBytes + (kills + 1) * 600_000);
  // A machine that is busy with other tests may be too slow for its own patience, which is short here; that has a name, too.
  for (const { lied, state, failureCode } of runs) if (!lied) expect(state === 'done' ? null : failureCode).toBe(state === 'done' ? null : 'download-failed');
  expect(runs.filter(({ state }) => state === 'done').length).toBeGreaterThan(3);
}, 60_000);
