/**
 * Every family with layers of constant state: asking again, another answer, a fork and reopening give the bits of a
 * sequence that was read once, and what is kept has the bytes that the model's description says.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { loadModel, type LoadedModel } from '../model.ts';
import { layerKinds } from '../models/layerKinds.ts';
import { openFamily } from '../testing/familyGoldens.ts';
import { measuredChoices, openTestDevice } from '../testing/device.ts';
import { Keeper } from './keeper.ts';
import { statePart } from './parts.ts';
import { restore, usableSegments } from './restore.ts';
import { KeptInMemory } from './testing/keptInMemory.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

const tokensFrom = (seed: number, count: number): number[] => Array.from({ length: count }, (_, i) => 1 + ((i * 7919 + seed * 104_729) % 250));

describe.each(['qwen35', 'qwen3next', 'lfm2', 'granitehybrid', 'rwkv7', 'lalte', 'lansa'])('%s', (name) => {
  const document = tokensFrom(1, 90);
  const question = tokensFrom(2, 20);
  const other = tokensFrom(3, 25);
  let model: LoadedModel;
  /** Logits after document and question, and after document and the other question, each read from the start. */
  let fresh: Record<'question' | 'other', Float32Array>;

  const logits = (): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);
  async function ask(tokens: number[]): Promise<{ logits: Float32Array; reusedTokens: number }> {
    const { reusedTokens } = await model.sequence.extend(tokens, { chunkTokens: 16, checkpointsAt: [document.length] });
    return { logits: await logits(), reusedTokens };
  }
  async function readOnce(tokens: number[]): Promise<Float32Array> {
    model.sequence.clear();
    return (await ask(tokens)).logits;
  }

  beforeAll(async () => {
    model = await loadModel(device, openFamily(name), { contextTokens: 256, kvBudgetBytes: 1 << 28, kvFormat: 'f32', choices: measuredChoices });
    fresh = { question: await readOnce([...document, ...question]), other: await readOnce([...document, ...other]) };
  });
  afterAll(() => model.free());

  test('the same prompt again, after an answer: only its last token is computed, and gives the same bits', async () => {
    const prompt = [...document, ...question];
    await ask(prompt);
    await model.sequence.extend([...prompt, 9, 8, 7], { asDecoding: true });
    const again = await ask(prompt);
    expect(again.reusedTokens).toBe(prompt.length - 1);
    expect(again.logits).toEqual(fresh.question);
  });

  test('a fork at the end of the document', async () => {
    await ask([...document, ...question]);
    const forked = await ask([...document, ...other]);
    expect(forked.reusedTokens).toBe(document.length);
    expect(forked.logits).toEqual(fresh.other);
  });

  test('reopening: what was kept has the bytes of the description, and both questions get the bits that the sequence itself gives', async () => {
    const kept = new KeptInMemory();
    model.sequence.clear();
    const keeper = new Keeper(device, model, kept, { path: [], older: [], sharedTokens: 0 });
    await model.sequence.extend(document, { chunkTokens: 16, checkpointsAt: [document.length], onChunk: () => keeper.note({ ends: model.sequence.length === document.length }) });
    await keeper.settled();
    keeper.free();
    const last = kept.segments[kept.segments.length - 1];
    for (const { layers, stateBytes } of layerKinds(model.spec)) for (const layer of layers) expect(last.parts.get(statePart(layer)) ?? null).toBe(stateBytes);
    const going = [await ask([...document, ...question]), await ask([...document, ...other])];
    for (const [i, asked] of [question, other].entries()) {
      expect(going[i].reusedTokens).toBe(document.length);
      await restore(device, model, document, usableSegments(model.runner, kept.segments), { growing: false });
      const reopened = await ask([...document, ...asked]);
      expect(reopened.reusedTokens).toBe(document.length);
      expect(reopened.logits).toEqual(going[i].logits);
    }
  });
});
