import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import type { Policy } from './policy.ts';
import { memoryBlocks } from './testing/memoryBlocks.ts';

const contextTokens = 1024;
const documentTokens = 700;

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

/** One question after another about a document that was read once, as the truth bench and every chat do. */
describe.each(['llama', 'gemma3'] as const)('%s: cutting back to the end of a document', (architecture) => {
  const random = seededRandom(5);
  const some = (count: number): number[] => Array.from({ length: count }, () => Math.floor(random() * 256));
  const document = some(documentTokens);
  const question = some(6);
  /** Long enough that segments with its own tokens are sealed. */
  const long = some(150);
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(device, memorySource(tinyModel({ architecture, contextTokens, layers: 2 })), {
      contextTokens,
      kvBudgetBytes: 1 << 30,
      choices: measuredChoices,
      tiers: { gpuBudgetBytes: 800_000, ramBudgetBytes: 100_000, format: 'f16', disk: memoryBlocks().disk, offload: 'always' },
    });
  });
  afterAll(() => model.free());

  const decode = async (stream: readonly number[]): Promise<Float32Array[]> => {
    const logits: Float32Array[] = [];
    for (let length = documentTokens + 1; length <= stream.length; length++) {
      await model.sequence.extend(stream.slice(0, length), { asDecoding: true });
      logits.push(await readback.floats(model.runner.logits, 0, model.spec.vocabularySize));
    }
    return logits;
  };

  test.each<[string, Policy]>([
    ['sketch', { name: 'sketch', budget: { tokens: 20 }, estimate: true }],
    ['full', { name: 'full', budget: { share: 1 }, estimate: false }],
  ])('%s gives the very logits of a document that was just read', async (_, policy) => {
    const far = model.runner.far!;
    far.policy = policy;
    model.sequence.clear();
    await model.sequence.extend(document, { chunkTokens: 64 });
    const fresh = await decode([...document, ...question]);
    const sealed = far.sealed;
    await model.sequence.extend([...document, ...long], { asDecoding: true });
    expect(far.sealed).toBeGreaterThan(documentTokens);
    const again = await decode([...document, ...question]);
    expect(far.sealed).toBe(sealed);
    expect(again).toEqual(fresh);
  });
});
