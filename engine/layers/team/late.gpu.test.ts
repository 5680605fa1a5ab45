import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { generateTokens } from '../../generate.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { Sampler } from '../../sampling/sampler.ts';
import type { SamplingSettings } from '../../sampling/settings.ts';
import { openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';

let device: Device;
let models: Record<'apart' | 'together', LoadedModel>;
const prompt = Array.from({ length: 40 }, (_, i) => (i * 37) % 250);
const choices = new Map<string, string>();
beforeAll(async () => {
  device = await openTestDevice();
  const bytes = tinyModel({ architecture: 'llama', types: ['Q4_1'] });
  const load = async (teamMembers: number): Promise<LoadedModel> => {
    for (const family of ['subgroup', 'subgroup texture']) choices.set(`team of ${family}`, `${teamMembers}|asked for|3`);
    return loadModel(device, memorySource(bytes), { contextTokens: 256, kvBudgetBytes: 1 << 26, choices });
  };
  models = { apart: await load(0), together: await load(device.facts.runsWorkgroupsAtOnce ? 2 : 0) };
});
afterAll(() => device.destroy());

const settings: SamplingSettings = { temperature: 1, topK: 40, topP: 0.9, minP: 0.01, repetitionPenalty: 1.2, penaltyTokens: 32, seed: 5 };

/** The tokens of an answer; before token `lateAt` members lose their patience. */
async function answer(model: LoadedModel, maxTokens: number, lateAt: number | null = null): Promise<number[]> {
  const { runner, sequence, spec } = model;
  const sampler = await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: 256 });
  sampler.begin(settings, prompt);
  sequence.clear();
  await sequence.extend(prompt);
  const made: number[] = [];
  for await (const token of generateTokens(device, runner, sequence, sampler, { maxTokens, endTokens: new Set() })) {
    made.push(token);
    if (made.length === lateAt && runner.late) device.gpu.queue.writeBuffer(runner.late.buffer, 8, Uint32Array.of(0));
  }
  sampler.free();
  return made;
}

test('a team makes the tokens that kernels one after another make', async () => {
  expect(models.together.runner.pace !== null).toBe(device.facts.runsWorkgroupsAtOnce);
  expect(await answer(models.together, 80)).toEqual(await answer(models.apart, 80));
});

test('members that come late change no token; afterwards there are no teams and nothing is remembered of them', async () => {
  const expected = await answer(models.apart, 60);
  expect(await answer(models.together, 60, 9)).toEqual(expected);
  expect(models.together.sequence.tokens.slice(0, prompt.length + 59)).toEqual([...prompt, ...expected.slice(0, 59)]);
  if (!device.facts.runsWorkgroupsAtOnce) return;
  expect(models.together.runner.pace).toBeNull();
  expect(models.together.kernels.describe()['team']).toBe('no members (one came late while an answer was made)');
  expect([...choices.values()]).toContain('');
  expect(await answer(models.together, 60)).toEqual(expected);
});
