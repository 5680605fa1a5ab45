import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePolicies } from '../../bench/truth/policies.ts';
import { summarise } from '../../bench/truth/report/summary.ts';
import type { Device } from '../../engine/device/device.ts';
import { openTestDevice } from '../../engine/testing/device.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { readCases } from './caseFiles.ts';
import type { EvalRequest } from './evalProtocol.ts';
import { evaluate } from './evaluate.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

test('a whole truth bench on a small model: stopped, gone on with, and true', async () => {
  const folder = temporaryFolder();
  const modelPath = join(folder, 'tiny.gguf');
  writeFileSync(modelPath, tinyModel({ architecture: 'llama', layers: 1, contextTokens: 2048 }));
  const request = (policies: string): EvalRequest => ({
    modelPath,
    boundsChecks: false,
    modelName: 'Tiny',
    suites: ['passkey'],
    lengthsTokens: [500],
    depths: [0.2, 0.8],
    seeds: [1],
    policies: parsePolicies(policies, []),
    sparseReadings: [null],
    kv: { gpu: { share: 4 }, ram: { share: 0.3 }, format: 'f16' },
    dataFolder: null,
    book: null,
    outFolder: join(folder, 'out'),
    cacheFolder: join(folder, 'cache'),
    shard: { index: 0, count: 1 },
    lanes: 1,
    seconds: null,
  });
  const run = async (asked: EvalRequest): Promise<number[]> => {
    const progress: number[] = [];
    await evaluate(device, asked, { onProgress: (done, total) => progress.push(done / total), onNote: () => undefined });
    return progress;
  };

  expect(await run(request('sketch:100%'))).toEqual([0, 0.5, 1]);
  const first = readCases(join(folder, 'out'));
  expect(first.map(({ policy, depth }) => [policy, depth])).toEqual([['resident', 0.2], ['sketch 100%', 0.2], ['resident', 0.8], ['sketch 100%', 0.8]]);
  // Every key is attended to exactly, so nothing but rounding is left.
  for (const line of first) {
    expect(line.klNats).toBeLessThan(1e-4);
    expect(line.agreement).toBe(1);
    expect(line.found).toBe(false);
  }

  // One more policy, on two lanes: only what is missing is computed.
  await run({ ...request('sketch:100%,window'), lanes: 2 });
  const all = readCases(join(folder, 'out'));
  expect(all.filter(({ policy }) => policy !== 'window')).toEqual(first);
  const window = all.filter(({ policy }) => policy === 'window');
  expect(window.map(({ depth }) => depth).sort()).toEqual([0.2, 0.8]);
  for (const line of window) {
    expect(line.klNats).toBeGreaterThan(0.01);
    expect(line.exactShare).toBe(0);
  }
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['cases-0.jsonl', 'cases-1.jsonl']);
  expect(summarise(all).cells.map(({ policy, documents }) => [policy, documents])).toEqual([['resident', 2], ['sketch 100%', 2], ['window', 2]]);

  // What takes too long is left for another time.
  expect(await run({ ...request('sketch:100%,flat:5%'), seconds: 1e-9 })).toEqual([0]);
  expect(readCases(join(folder, 'out'))).toHaveLength(all.length);
});

test('what one policy computed never passes for what was read, though the next case goes on with the same words', async () => {
  const folder = temporaryFolder();
  const modelPath = join(folder, 'tiny.gguf');
  writeFileSync(modelPath, tinyModel({ architecture: 'llama', layers: 2, contextTokens: 2048 }));
  const outFolder = join(folder, 'out');
  const policies = parsePolicies('sketch:100%,window', []);
  const kv: EvalRequest['kv'] = { gpu: { share: 4 }, ram: { share: 0.3 }, format: 'f16' };
  const common = { modelPath, boundsChecks: false, modelName: 'Tiny', dataFolder: null, book: null, outFolder, cacheFolder: join(folder, 'cache'), seconds: null };
  await evaluate(
    device,
    { ...common, suites: ['continuation'], lengthsTokens: [1000], depths: [null], seeds: [1], policies, sparseReadings: [null, { share: 1, fromTokens: 128 }, { share: 0.01, fromTokens: 128 }], kv, shard: { index: 0, count: 1 }, lanes: 1 },
    { onProgress: () => undefined, onNote: () => undefined },
  );
  const cases = readCases(outFolder);
  expect(cases.map(({ tail, policy }) => `${tail} ${policy}`)).toEqual([0, 1].flatMap((tail) => ['resident', 'read 100%@128, resident', 'read 1%@128, resident', 'sketch 100%', 'window', ...['100', '1'].flatMap((share) => ['sketch 100%', 'window'].map((policy) => `read ${share}%@128, ${policy}`))].map((policy) => `${tail} ${policy}`)));
  for (const { policy, klNats } of cases) {
    if (policy === 'read 1%@128, resident') expect(klNats).toBeGreaterThan(1e-6);
    if (policy === 'read 100%@128, resident') expect(klNats).toBeLessThan(1e-6);
    if (policy === 'sketch 100%' || policy === 'read 100%@128, sketch 100%') expect(klNats).toBeLessThan(1e-4);
    if (policy === 'window') expect(klNats).toBeGreaterThan(0.01);
  }
});
