/** What a model takes of the GPU goes with it, whether it was loaded, was refused, or was used. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import type { MemoryReport } from './device/memory.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { generateTokens } from './generate.ts';
import { loadModel, type ModelOptions } from './model.ts';
import { Sampler } from './sampling/sampler.ts';
import { greedySettings } from './sampling/settings.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { openFamily } from './testing/familyGoldens.ts';
import { tinyModel } from './testing/tinyModel.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const options: ModelOptions = { contextTokens: 1024, kvBudgetBytes: 1 << 28, choices: measuredChoices };
const source = () => memorySource(tinyModel({ architecture: 'llama' }));

const nothing = { weightsBytes: 0, kvBytes: 0, activationsBytes: 0, stagingBytes: 0, totalBytes: 0 };

/** What a failed load has left on the GPU. */
async function left(load: () => Promise<unknown>, code: string): Promise<MemoryReport> {
  await expect(load()).rejects.toMatchObject({ code });
  return device.memory.report();
}

test('a load that is stopped half-way gives back what it had taken', async () => {
  const abort = new AbortController();
  let weightsBytes = 0;
  const onProgress = (done: number, total: number): void => {
    if (done < total / 2) return;
    weightsBytes = device.memory.report().weightsBytes;
    abort.abort();
  };
  expect(await left(() => loadModel(device, source(), { ...options, signal: abort.signal, onProgress }), 'cancelled')).toEqual(nothing);
  expect(weightsBytes).toBeGreaterThan(0);
});

test('a load that a budget refuses gives back its weights', async () => {
  const tiers = { gpuBudgetBytes: 10_000, ramBudgetBytes: 1 << 20, format: 'f16', disk: null, offload: 'always' } as const;
  expect(await left(() => loadModel(device, source(), { ...options, tiers }), 'kv-budget-too-small')).toEqual(nothing);
});

test('a load whose file ends early says so and leaves nothing', async () => {
  const whole = source();
  const broken = { ...whole, sizeBytes: whole.sizeBytes, readInto: undefined, read: (at: number, length: number) => (at > whole.sizeBytes / 2 ? Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' })) : whole.read(at, length)) };
  expect(await left(() => loadModel(device, broken, options), 'EIO')).toEqual(nothing);
});

const farTiers = { gpuBudgetBytes: 4 << 20, ramBudgetBytes: 1 << 28, format: 'q8', disk: null, offload: 'always' } as const;
const loads = {
  'a model on the GPU': () => loadModel(device, source(), options),
  'keys and values beyond the GPU': () => loadModel(device, memorySource(tinyModel({ architecture: 'gemma3', contextTokens: 2048, layers: 2 })), { ...options, contextTokens: 2048, tiers: farTiers }),
  'layers of constant state': () => loadModel(device, openFamily('rwkv7'), { ...options, contextTokens: 256 }),
  experts: () => loadModel(device, openFamily('qwen3moe'), { ...options, contextTokens: 256 }),
};

test.each(Object.entries(loads))('unloading gives everything back, to the last byte, after an answer: %s', async (name, load) => {
  const model = await load();
  const prompt = Array.from({ length: Math.min(1500, model.contextTokens - 50) }, (_, index) => 1 + (index % 50));
  const sampler = await Sampler.create(model.device, { vocabularySize: model.spec.vocabularySize, maxContextTokens: model.contextTokens });
  await model.sequence.extend(prompt);
  sampler.begin(greedySettings, prompt);
  const answer: number[] = [];
  for await (const token of generateTokens(model.device, model.runner, model.sequence, sampler, { maxTokens: 8, endTokens: new Set() })) answer.push(token);
  expect(answer).toHaveLength(8);
  expect(device.memory.report().weightsBytes).toBeGreaterThan(0);
  if (model.runner.far) expect(model.runner.far.sealed).toBeGreaterThan(0);
  model.free();
  expect(device.memory.report()).toEqual(nothing);
});

test('what the step ahead of an answer’s end has stored counts as written', async () => {
  const model = await loadModel(device, source(), options);
  const sampler = await Sampler.create(model.device, { vocabularySize: model.spec.vocabularySize, maxContextTokens: model.contextTokens });
  const prompt = Array.from({ length: 40 }, (_, i) => 3 + ((i * 7) % 200));
  const answered = async (maxTokens: number, endTokens: Set<number>): Promise<number[]> => {
    model.sequence.clear();
    await model.sequence.extend(prompt);
    sampler.begin(greedySettings, prompt);
    const answer: number[] = [];
    for await (const token of generateTokens(model.device, model.runner, model.sequence, sampler, { maxTokens, endTokens })) answer.push(token);
    return answer;
  };
  const [first] = await answered(1, new Set());
  expect(await answered(8, new Set([first]))).toEqual([]);
  expect([model.sequence.length, model.sequence.written]).toEqual([prompt.length, prompt.length + 1]);
  model.free();
});

test('a model that goes takes nothing from another on the same device', async () => {
  const [first, second] = [await loadModel(device, source(), options), await loadModel(device, source(), options)];
  const alone = second.device.memory.report();
  first.free();
  expect(device.memory.report()).toEqual(alone);
  // Buffers that were shared would be gone: such a submission fails.
  device.gpu.pushErrorScope('validation');
  await second.sequence.extend([1, 2, 3, 4, 5]);
  expect(await device.gpu.popErrorScope()).toBeNull();
  second.free();
  expect(device.memory.report()).toEqual(nothing);
});
