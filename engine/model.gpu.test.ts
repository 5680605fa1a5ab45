import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { loadModel, type ModelOptions } from './model.ts';
import { openTestDevice } from './testing/device.ts';
import { tinyModel } from './testing/tinyModel.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const options: ModelOptions = { contextTokens: 1024, kvBudgetBytes: 1 << 28, choices: new Map() };
const source = () => memorySource(tinyModel({ architecture: 'llama' }));

/** What a failed load has left on the GPU of weights, keys and values and staging buffers. */
async function left(load: () => Promise<unknown>, code: string): Promise<number[]> {
  const before = device.memory.report();
  await expect(load()).rejects.toMatchObject({ code });
  const after = device.memory.report();
  return [after.weightsBytes - before.weightsBytes, after.kvBytes - before.kvBytes, after.stagingBytes - before.stagingBytes];
}

test('a load that is stopped half-way gives back what it had taken', async () => {
  const abort = new AbortController();
  let weightsBytes = 0;
  const onProgress = (done: number, total: number): void => {
    if (done < total / 2) return;
    weightsBytes = device.memory.report().weightsBytes;
    abort.abort();
  };
  expect(await left(() => loadModel(device, source(), { ...options, signal: abort.signal, onProgress }), 'cancelled')).toEqual([0, 0, 0]);
  expect(weightsBytes).toBeGreaterThan(0);
});

test('a load that a budget refuses gives back its weights', async () => {
  const tiers = { gpuBudgetBytes: 10_000, ramBudgetBytes: 1 << 20, format: 'f16', disk: null, offload: 'always' } as const;
  expect(await left(() => loadModel(device, source(), { ...options, tiers }), 'kv-budget-too-small')).toEqual([0, 0, 0]);
});

test('a load whose file ends early says so and leaves nothing', async () => {
  const whole = source();
  const broken = { ...whole, sizeBytes: whole.sizeBytes, readInto: undefined, read: (at: number, length: number) => (at > whole.sizeBytes / 2 ? Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' })) : whole.read(at, length)) };
  expect(await left(() => loadModel(device, broken, options), 'EIO')).toEqual([0, 0, 0]);
});
