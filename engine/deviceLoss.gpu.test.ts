import { expect, onTestFinished, test } from 'vitest';
import type { Device } from './device/device.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { generateTokens } from './generate.ts';
import { loadModel } from './model.ts';
import { Sampler } from './sampling/sampler.ts';
import { greedySettings } from './sampling/settings.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { tinyModel } from './testing/tinyModel.ts';

const prompt = [1, 2, 3, 4, 5];
const loss = {
  code: 'device-lost',
  message: 'The GPU stopped responding: device was destroyed.',
  remedy: 'Try again: the engine rebuilds itself. If it happens often, update the graphics driver or choose a smaller model.',
};

async function openEngine() {
  const device = await openTestDevice();
  onTestFinished(() => device.destroy());
  const model = await loadModel(device, memorySource(tinyModel({ architecture: 'llama' })), { contextTokens: 256, kvBudgetBytes: 1 << 28, choices: measuredChoices });
  const sampler = await Sampler.create(device, { vocabularySize: model.spec.vocabularySize, maxContextTokens: 256 });
  return { device, model, sampler };
}

async function answer({ device, model, sampler }: Awaited<ReturnType<typeof openEngine>>, onToken: (made: number) => void = () => {}): Promise<number[]> {
  await model.sequence.extend(prompt);
  sampler.begin(greedySettings, prompt);
  const tokens: number[] = [];
  for await (const token of generateTokens(device, model.runner, model.sequence, sampler, { maxTokens: 20, endTokens: new Set() })) {
    tokens.push(token);
    onToken(tokens.length);
  }
  return tokens;
}

const failureOf = async (work: Promise<unknown>) => {
  const { code, message, remedy } = (await work.then(() => expect.fail('nothing failed'), (error: unknown) => error)) as typeof loss;
  return { code, message, remedy };
};

const loseAt = (device: Device, at: number) => (made: number) => {
  if (made === at) device.gpu.destroy();
};

test('a device that is lost in mid-answer is a named error, at once and from then on; a new device answers the same', async () => {
  const engine = await openEngine();
  expect(await failureOf(answer(engine, loseAt(engine.device, 4)))).toEqual(loss);
  expect((await engine.device.gpu.lost).reason).toBe('destroyed');
  expect(await failureOf(engine.model.sequence.extend([...prompt, 6]))).toEqual(loss);
  expect(await failureOf(engine.device.finished())).toEqual(loss);

  const [second, third] = [await openEngine(), await openEngine()];
  const tokens = await answer(second);
  expect(tokens).toHaveLength(20);
  expect(await answer(third)).toEqual(tokens);
});

test('a device that is lost while a prompt is read is the same error', async () => {
  const { device, model } = await openEngine();
  const reading = model.sequence.extend(Array.from({ length: 200 }, (_, index) => index), {
    chunkTokens: 10,
    onProgress: (done) => {
      if (done === 50) device.gpu.destroy();
    },
  });
  expect(await failureOf(reading)).toEqual(loss);
});
