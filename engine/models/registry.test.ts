import { expect, test } from 'vitest';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { writeGguf, type ValueToWrite } from '../formats/gguf/testing/writeGguf.ts';
import { readGguf } from '../formats/gguf/readGguf.ts';
import { openFamily } from '../testing/familyGoldens.ts';
import { describeModel } from './registry.ts';
import { readRotary, trainedTokens } from './rotary.ts';

async function header(metadata: Record<string, ValueToWrite>) {
  return readGguf(memorySource(writeGguf({ metadata, tensors: [{ name: 'token_embd.weight', dims: [32, 4], type: 'F32', bytes: new Uint8Array(512) }] })), {});
}
const text = (value: string): ValueToWrite => ({ type: 'string', value });
const uint = (value: number): ValueToWrite => ({ type: 'uint32', value });

test.each([
  ['gemma2', 'gemma3', {}],
  ['qwen2vl', 'qwen2', {}],
  ['qwen3vlmoe', 'qwen3moe', {}],
  ['phi2', 'phi3', {}],
  ['llama4', 'llama', {}],
  ['granite5', 'granite', {}],
  ['deepseek2', 'qwen3moe', { 'deepseek2.expert_count': uint(64) }],
  ['jamba', 'granitehybrid', { 'jamba.ssm.state_size': uint(16) }],
  ['bloom', 'llama', {}],
])('the architecture %s is refused with the name of %s', async (architecture, nearest, more) => {
  const file = await header({ 'general.architecture': text(architecture), ...more });
  expect(() => describeModel(file)).toThrow(
    expect.objectContaining({ code: 'unknown-architecture', message: `The model's architecture is "${architecture}", which Longleaf does not know; the nearest that it knows is ${nearest}.` }),
  );
});

test('a rope scaling that nobody knows is refused', async () => {
  const file = await header({ 'llama.rope.scaling.type': text('spiral') });
  expect(() => readRotary(file, 'llama', { pairing: 'adjacent', headDim: 32 })).toThrow(/rope scaling "spiral"/);
});

test('a context beyond what a model was trained on is told from its scaling', async () => {
  const trained = async (type: string, more: Record<string, ValueToWrite> = {}): Promise<number> => {
    const file = await header({ 'llama.context_length': uint(4096), 'llama.rope.scaling.type': text(type), 'llama.rope.scaling.factor': { type: 'float32', value: 4 }, ...more });
    return trainedTokens(file, 'llama', 4096, readRotary(file, 'llama', { pairing: 'adjacent', headDim: 32 }));
  };
  expect(await trained('none')).toBe(4096);
  expect(await trained('linear')).toBe(1024);
  expect(await trained('yarn', { 'llama.rope.scaling.original_context_length': uint(2048) })).toBe(2048);
  expect(await trained('yarn', { 'llama.rope.scaling.finetuned': { type: 'bool', value: true } })).toBe(4096);
  const specOf = async (name: string) => describeModel(await readGguf(openFamily(name), {}));
  expect(await specOf('qwen3')).toMatchObject({ contextTokens: 512, trainedTokens: 128 });
  // Trained with what stretches them.
  for (const name of ['phi3', 'mistral3']) expect(await specOf(name)).toMatchObject({ contextTokens: 512, trainedTokens: 512 });
});
