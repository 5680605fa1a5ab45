import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyThreads } from '../../../host/gpu-worker/copyThreads.ts';
import { TransferFiles } from '../../../host/gpu-worker/transferFiles.ts';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import type { LongCopies, SharedCopies } from '../../ports.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import type { Policy } from './policy.ts';
import { firstSteps } from './misses.ts';
import { memoryBlocks } from './testing/memoryBlocks.ts';

const contextTokens = 1024;
const tokenCount = 900;
const steps = 6;

let device: Device;
let readback: Readback;
let threads: CopyThreads;
let folder: string;
let files: TransferFiles;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  threads = new CopyThreads({ threads: 2, fewestRuns: 1 });
  folder = mkdtempSync(join(tmpdir(), 'longleaf-copied-'));
  files = new TransferFiles(folder);
});
afterAll(async () => {
  device.destroy();
  await threads.close();
  await files.close();
  rmSync(folder, { recursive: true });
});

/** Both ways of gathering what decoding misses, beside each other. */
describe.each([
  { ram: 'all of it', ramBudgetBytes: 1 << 30, format: 'f16' as const },
  { ram: 'a part', ramBudgetBytes: 900_000, format: 'q8' as const },
])('far keys of which RAM holds $ram', ({ ramBudgetBytes, format }) => {
  const random = seededRandom(3);
  const document = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));
  const more = Array.from({ length: steps }, () => Math.floor(random() * 256));
const begun = Array.from({ length: firstSteps }, (_, step) => 31 * step);
  let alone: LoadedModel;
  let copied: LoadedModel;
  let diskFails = false;
  /** Copies begun, the most that were under way at once, and long ones. */
  const seen = { begun: 0, underWay: 0, mostUnderWay: 0, long: 0 };

  beforeAll(async () => {
    const counted: SharedCopies = {
      fewestRuns: 1,
      allocate: (sizeBytes) => threads.allocate(sizeBytes),
      release: (block) => threads.release(block),
      begin: (copy) => {
        const finish = threads.begin(copy);
        let isUnderWay = true;
        seen.begun++;
        seen.mostUnderWay = Math.max(seen.mostUnderWay, ++seen.underWay);
        return async () => {
          await finish();
          if (isUnderWay) seen.underWay--;
          isUnderWay = false;
        };
      },
    };
    const longCopies: LongCopies = {
      fewestBytes: 1,
      copy: (copy) => {
        seen.long++;
        return files.copy(copy);
      },
    };
    const open = (copies: SharedCopies | null): Promise<LoadedModel> => {
      const { disk } = memoryBlocks();
      const failing = { ...disk, read: (...asked: Parameters<typeof disk.read>) => (diskFails ? Promise.reject(new Error('the disk is gone')) : disk.read(...asked)) };
      return loadModel(device, memorySource(tinyModel({ architecture: 'llama', contextTokens, layers: 4 })), {
        contextTokens,
        kvBudgetBytes: 1 << 30,
        choices: measuredChoices,
        tiers: { gpuBudgetBytes: 1_600_000, ramBudgetBytes, format, disk: failing, offload: 'always', largestShare: 0.1, copies, longCopies: copies && longCopies },
      });
    };
    alone = await open(null);
    copied = await open(counted);
  });
  afterAll(() => {
    alone.free();
    copied.free();
  });

  const read = async (model: LoadedModel, policy: Policy): Promise<void> => {
    const far = model.runner.far!;
    far.policy = { name: 'window', budget: { share: 1 }, estimate: false };
    model.sequence.clear();
    await model.sequence.extend(document, { chunkTokens: 64 });
    // The first steps wait whatever the policy; these fetch nothing.
    for (let step = 1; step <= firstSteps; step++) await model.sequence.extend([...document, ...begun.slice(0, step)], { asDecoding: true });
    far.policy = policy;
    await far.settled();
    await far.store.settled();
    for (const { memory } of far.layers) memory.table.forgetFrom(0);
    far.report.reset();
  };
  const decode = async (model: LoadedModel): Promise<Float32Array[]> => {
    const logits: Float32Array[] = [];
    for (let step = 1; step <= steps; step++) {
      await model.sequence.extend([...document, ...begun, ...more.slice(0, step)], { asDecoding: true });
      logits.push(await readback.floats(model.runner.logits, 0, model.spec.vocabularySize));
    }
    await model.runner.far!.settleLagged();
    return logits;
  };

  test.each(['strict', 'lagged'] as const)('%s misses: the very logits, and the same report', async (misses) => {
    const policy: Policy = { name: 'sketch', budget: { tokens: 60 }, estimate: true, misses };
    await read(alone, policy);
    const expected = await decode(alone);
    await read(copied, policy);
    Object.assign(seen, { begun: 0, mostUnderWay: 0, long: 0 });
    expect(await decode(copied)).toEqual(expected);
    expect(seen.begun).toBeGreaterThan(0);
    expect(seen.underWay).toBe(0);
    // A step that waits has nothing else to do meanwhile.
    expect(seen.long > 0).toBe(misses === 'lagged');
    // Misses of all layers take several loads.
    if (misses === 'lagged') expect(seen.mostUnderWay).toBeGreaterThan(1);
    const { hitKeys, fetchedKeys, missedKeys } = copied.runner.far!.report.total;
    expect({ hitKeys, fetchedKeys, missedKeys }).toEqual((({ total }) => ({ hitKeys: total.hitKeys, fetchedKeys: total.fetchedKeys, missedKeys: total.missedKeys }))(alone.runner.far!.report));
    const bytes = copied.runner.far!.store.bytes;
    expect(bytes.ramReadBytes).toBeGreaterThan(0);
    expect(bytes.diskBytes > 0).toBe(format === 'q8');
  });

  if (format === 'f16') return;
  test.each(['strict', 'lagged'] as const)('%s misses that the disk does not give are heard of, and nothing is left under way', async (misses) => {
    const policy: Policy = { name: 'sketch', budget: { tokens: 60 }, estimate: true, misses };
    await read(alone, policy);
    const expected = await decode(alone);
    await read(copied, policy);
    diskFails = true;
    await expect(decode(copied)).rejects.toThrow('the disk is gone');
    diskFails = false;
    expect(seen.underWay).toBe(0);
    await read(copied, policy);
    expect(await decode(copied)).toEqual(expected);
  });
});
