import { expect, test } from 'vitest';
import type { SparseReading } from '../../engine/layers/sparseReading/sparseReading.ts';
import { loadModel } from '../../engine/model.ts';
import { measuredChoices, openTestDevice } from '../../engine/testing/device.ts';
import { openFamily } from '../../engine/testing/familyGoldens.ts';
import { fingerprintOf, hashModel } from './modelFingerprint.ts';

const device = await openTestDevice();

/** Of a model loaded with this context. */
async function fingerprint(name: string, contextTokens: number, sparseReading: SparseReading | null = null): Promise<string> {
  const source = openFamily(name);
  const model = await loadModel(device, source, { contextTokens, kvBudgetBytes: 1 << 28, choices: measuredChoices, sparseReading });
  const result = fingerprintOf(await hashModel(source, model.file.dataOffsetBytes), model);
  model.free();
  return result;
}

test('keys of a context that turns them otherwise are other keys', async () => {
  // LongRoPE's divisors change beyond 256 tokens.
  expect(await fingerprint('phi3', 512)).not.toBe(await fingerprint('phi3', 256));
  expect(await fingerprint('phi3', 256)).toBe(await fingerprint('phi3', 128));
  expect(await fingerprint('qwen2', 512)).toBe(await fingerprint('qwen2', 256));
  expect(await fingerprint('qwen2', 512)).not.toBe(await fingerprint('qwen3', 512));
});

test('keys of a document that was read sparsely are other keys, where the context reaches so far', async () => {
  const exact = await fingerprint('qwen2', 512);
  expect(await fingerprint('qwen2', 512, { share: 0.25, fromTokens: 512 })).toBe(exact);
  const sparse = await fingerprint('qwen2', 512, { share: 0.25, fromTokens: 256 });
  expect(sparse).not.toBe(exact);
  expect(await fingerprint('qwen2', 512, { share: 0.5, fromTokens: 256 })).not.toBe(sparse);
});
