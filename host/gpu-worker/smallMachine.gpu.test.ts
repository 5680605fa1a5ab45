/** Machines with little memory: what they can hold is said before anything is read, and where they can run out nothing is tried. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { defaultKvSetting } from '../contract/policy.ts';
import { readCatalogue } from '../models/catalogue.ts';
import { machineMemoryBytes, refuseWhatMemoryCannotHold } from '../models/machineMemory.ts';
import { recommend } from '../models/recommend.ts';
import { buildWorker, startWorker } from '../testing/builtWorker.ts';
import { failureOf } from '../testing/failureOf.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';

const small = 4e9;

test('a machine of 4 GB is offered the models that it can hold, and told of each other what it lacks', () => {
  const verdicts = recommend(readCatalogue(), { kind: 'software', gpuBytes: null, ramBytes: small, freeRamBytes: small / 2, diskFreeBytes: 1e12 });
  expect(verdicts[0]?.level).toBe('fits');
  const weights = new Map(readCatalogue().map(({ id, facts }) => [id, facts.weightsBytes]));
  for (const { id, level, reason } of verdicts) {
    if ((weights.get(id) ?? 0) > 0.9 * small) expect({ level, reason }).toEqual({ level: 'too-large', reason: expect.stringMatching(/^It needs \d+\.\d GB, and there are 3\.6 GB\.$/) });
    else expect(level).not.toBe('too-large');
  }
});

test('a model of 5 GB is refused on 4 GB, in words; on a GPU that is for the GPU to say', async () => {
  expect(await failureOf(async () => refuseWhatMemoryCannotHold('software', 5e9, small))).toEqual({
    code: 'model-too-large',
    message: 'The model takes 5.0 GB of memory, and this machine has 4.0 GB.',
    remedy: 'Choose a smaller model, or the same one in fewer bits for each weight; the page “Models” says which of them fit this machine.',
  });
  refuseWhatMemoryCannotHold('software', 3e9, small);
  refuseWhatMemoryCannotHold('gpu', 5e9, small);
});

test('the worker refuses a model that is larger than this machine, and goes on', async () => {
  const worker = await startWorker(buildWorker(), { LONGLEAF_CACHE: temporaryFolder() });
  onTestFinished(() => worker.process.quit(4000));
  const folder = temporaryFolder();
  const [large, tiny] = ['large.gguf', 'tiny.gguf'].map((name) => join(folder, name));
  for (const path of [large, tiny]) writeFileSync(path, tinyModel({ architecture: 'llama', layers: 2 }));
  truncateSync(large, machineMemoryBytes());
  const load = (path: string) => worker.process.run({ kind: 'load', path, contextTokens: 256, kv: defaultKvSetting, boundsChecks: false });
  const { adapter } = z.object({ adapter: z.object({ kind: z.enum(['gpu', 'software']) }) }).parse(await worker.process.run({ kind: 'doctor' }));
  if (adapter.kind === 'software') expect((await failureOf(() => load(large))).code).toBe('model-too-large');
  await load(tiny);
  expect(worker.losses).toEqual([]);
});
