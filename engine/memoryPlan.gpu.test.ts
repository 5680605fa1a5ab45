/** What is computed from a header before anything is loaded, against what loading then takes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { readGguf } from './formats/gguf/readGguf.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { chooseKvFormat } from './layers/attention/layout.ts';
import { memoryNeeds, planContext } from './memoryPlan.ts';
import { loadModel } from './model.ts';
import { describeModel } from './models/registry.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { openFamily } from './testing/familyGoldens.ts';
import { tinyModel } from './testing/tinyModel.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const tiers = { format: 'f16' as const, offload: 'needed' as const, ramBudgetBytes: 1 << 28, disk: null };

test.each([
  { architecture: 'llama' as const, types: undefined, gpuBudgetBytes: 1 << 28 },
  { architecture: 'gemma3' as const, types: ['Q4_0', 'Q8_0'] as const, gpuBudgetBytes: 1 << 28 },
  { architecture: 'lfm2' as const, types: ['Q4_0', 'Q8_0'] as const, gpuBudgetBytes: 1 << 28 },
  { architecture: 'llama' as const, types: ['F16'] as const, gpuBudgetBytes: 6 << 20 },
  { architecture: 'gemma3' as const, types: ['F32'] as const, gpuBudgetBytes: 4 << 20 },
])('$architecture, $types, $gpuBudgetBytes bytes for keys and values', async ({ architecture, types, gpuBudgetBytes }) => {
  const bytes = tinyModel({ architecture, types, layers: 7, hiddenSize: 256, width: 512, contextTokens: 4096 });
  const before = device.memory.report();
  const model = await loadModel(device, memorySource(bytes), { contextTokens: null, kvBudgetBytes: gpuBudgetBytes, tiers: { ...tiers, gpuBudgetBytes }, choices: measuredChoices });
  const after = device.memory.report();
  model.free();

  const file = await readGguf(memorySource(bytes));
  const spec = describeModel(file);
  const adapter = { kind: device.facts.kind, kvFormat: chooseKvFormat(device) };
  const plan = planContext(spec, adapter, null, { kvBudgetBytes: gpuBudgetBytes, tiers: { ...tiers, gpuBudgetBytes } });
  const needs = memoryNeeds(file, spec, adapter, plan);
  expect(plan.contextTokens).toBe(model.contextTokens);
  expect(plan.tiers !== null).toBe(gpuBudgetBytes < 1 << 27);
  const taken = { weights: after.weightsBytes - before.weightsBytes, kv: after.kvBytes - before.kvBytes, all: after.totalBytes - before.totalBytes };
  expect(needs.weightsBytes / taken.weights).toBeCloseTo(1, 2);
  // Beyond the GPU a plan counts scratch among keys and values, so that only the sum can be compared.
  if (!plan.tiers) expect(needs.kv.gpuBytes / taken.kv).toBeCloseTo(1, 2);
  const all = (needs.weightsBytes + needs.kv.gpuBytes + needs.workingBytes) / taken.all;
  expect(all, `${all}`).toBeGreaterThan(plan.tiers ? 0.9 : 0.98);
  expect(all, `${all}`).toBeLessThan(plan.tiers ? 1.1 : 1.02);
});

test('experts and their scratch', async () => {
  const before = device.memory.report();
  const model = await loadModel(device, openFamily('qwen3moe'), { contextTokens: null, kvBudgetBytes: 1 << 28, choices: measuredChoices });
  const after = device.memory.report();
  model.free();
  const file = await readGguf(openFamily('qwen3moe'));
  const spec = describeModel(file);
  const adapter = { kind: device.facts.kind, kvFormat: chooseKvFormat(device) };
  const needs = memoryNeeds(file, spec, adapter, planContext(spec, adapter, null, { kvBudgetBytes: 1 << 28, tiers: null }));
  expect(needs.weightsBytes / (after.weightsBytes - before.weightsBytes)).toBeCloseTo(1, 2);
  // The rest are angles and numbers of single kernels, which weigh something in so small a model.
  const working = needs.workingBytes / (after.activationsBytes - before.activationsBytes);
  expect(working, `${working}`).toBeGreaterThan(0.9);
  expect(working, `${working}`).toBeLessThanOrEqual(1);
});
