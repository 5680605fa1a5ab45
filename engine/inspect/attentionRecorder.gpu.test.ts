import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { generateTokens } from '../generate.ts';
import { loadModel, type LoadedModel, type TierOptions } from '../model.ts';
import { isPlainAttention } from '../models/spec.ts';
import { sinkTokens } from '../retrieval/layout.ts';
import { greedySettings } from '../sampling/settings.ts';
import { Sampler } from '../sampling/sampler.ts';
import { openTestDevice } from '../testing/device.ts';
import { tinyModel } from '../testing/tinyModel.ts';
import { AttentionRecorder, type RecordedRow } from './attentionRecorder.ts';
import { type InspectedHead, Inspection } from './inspection.ts';
import { statisticsFloats } from './rangeKernels.ts';
import type { WatchedPart } from './watchKernels.ts';

const contextTokens = 512;
const prompt = Array.from({ length: 150 }, (_, i) => (i * 37) % 250);
const answerTokens = 21;
const document = { fromKey: sinkTokens, toKey: 120 };
const partTokens = 4;
const parts = Array.from({ length: 50 }, (_, i): WatchedPart => {
  const begin = i * partTokens;
  return { begin, end: begin + partTokens, zone: begin < sinkTokens ? 'sinks' : begin < document.toKey ? 'document' : 'other' };
});

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

async function open(architecture: 'llama' | 'gemma3' | 'qwen35', teamMembers = 0, tiers: TierOptions | null = null): Promise<LoadedModel> {
  const choices = new Map<string, string>();
  for (const family of ['subgroup', 'subgroup texture']) choices.set(`team of ${family}`, `${teamMembers}|asked for|3`);
  return loadModel(device, memorySource(tinyModel({ architecture, types: ['Q4_1'] })), { contextTokens, kvBudgetBytes: 1 << 28, choices, tiers });
}

/** Two heads of each layer that attends; the first counts in shares. */
function watchedHeads({ spec }: LoadedModel): InspectedHead[] {
  return spec.blocks.flatMap(({ mixer }, layer) => (isPlainAttention(mixer) ? [{ layer, head: 0 }, { layer, head: mixer.heads - 1 }] : []));
}

/** An answer, with what was recorded of it or without recording; before token `lateAt` members of a team come late. */
async function answer(model: LoadedModel, { recording, lateAt, asked = prompt }: { recording: boolean; lateAt?: number; asked?: readonly number[] }): Promise<{ made: number[]; rows: Map<number, RecordedRow>; heads: readonly InspectedHead[] }> {
  const { runner, sequence, spec } = model;
  const rows = new Map<number, RecordedRow>();
  const options = { heads: watchedHeads(model), chosen: ({ head }: InspectedHead) => head === 0, parts, firstPosition: asked.length - 1, onRows: (recorded: readonly RecordedRow[]) => recorded.forEach((row) => rows.set(row.position, row)) };
  const recorder = recording ? await AttentionRecorder.open(device, runner, readback, options) : null;
  const sampler = await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: contextTokens });
  sampler.begin(greedySettings, asked);
  sequence.clear();
  await sequence.extend(asked);
  const made: number[] = [];
  for await (const token of generateTokens(device, runner, sequence, sampler, { maxTokens: answerTokens, endTokens: new Set(), onStep: (position) => recorder?.stepped(position) })) {
    made.push(token);
    if (made.length === lateAt && runner.late) device.gpu.queue.writeBuffer(runner.late.buffer, 8, Uint32Array.of(0));
  }
  await recorder?.finish(asked.length + answerTokens - 1);
  recorder?.close();
  sampler.free();
  return { made, rows, heads: recorder?.heads ?? [] };
}

/** Every row of the answer as recorded beside an exact pass over the same rows. */
async function expectExact(model: LoadedModel, made: readonly number[], rows: ReadonlyMap<number, RecordedRow>, heads: readonly InspectedHead[]): Promise<void> {
  const { runner, sequence, spec } = model;
  const firstRow = prompt.length - 1;
  const inspection = await Inspection.open({ device, runner, sequence, readback }, { tokens: [...prompt, ...made], firstRow });
  expect([...rows.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: answerTokens }, (_, row) => firstRow + row));
  const chosen = heads.filter(({ head }) => head === 0);
  const { sums, columns } = await inspection.tile(chosen, { firstRow: 0, endRow: answerTokens, rowsPerBucket: 1, fromKey: 0, toKey: prompt.length + answerTokens, keysPerBucket: partTokens });
  let worst = 0;
  for (const [position, { shares }] of rows) {
    for (let part = 0; part < columns; part++) worst = Math.max(worst, Math.abs(shares[part] - sums[(position - firstRow) * columns + part] / chosen.length));
  }
  const statisticsOf = await inspection.rowStatistics(document);
  for (const [i, { layer, head }] of heads.entries()) {
    const { mixer } = spec.blocks[layer];
    if (!isPlainAttention(mixer)) continue;
    const statistics = statisticsOf[layer];
    for (const [position, { zones }] of rows) {
      const at = ((position - firstRow) * mixer.heads + head) * statisticsFloats;
      const [sinks, recent, , inDocument, other] = statistics.subarray(at, at + 5);
      for (const [zone, share] of [sinks, recent, inDocument, other].entries()) worst = Math.max(worst, Math.abs(zones[4 * i + zone] - share));
    }
  }
  inspection.free();
  expect(worst).toBeLessThan(1e-3);
}

describe.each(['llama', 'gemma3', 'qwen35'] as const)('%s', (architecture) => {
  test('what is recorded while an answer is written is what an exact pass finds afterwards, and changes no token', async () => {
    const model = await open(architecture);
    const plain = await answer(model, { recording: false });
    const { made, rows, heads } = await answer(model, { recording: true });
    expect(made).toEqual(plain.made);
    await expectExact(model, made, rows, heads);
    model.free();
  });
});

test('rows of a team are recorded as well, those that it computed in vain as they were computed again', async () => {
  const model = await open('llama', device.facts.runsWorkgroupsAtOnce ? 2 : 0);
  const { made, rows, heads } = await answer(model, { recording: true, lateAt: 13 });
  await expectExact(model, made, rows, heads);
  model.free();
});

test('nothing is recorded where keys lie beyond the GPU, and room that was taken is given back', async () => {
  const model = await open('llama', 0, { gpuBudgetBytes: 1 << 26, ramBudgetBytes: 1 << 26, format: 'f16', disk: null, offload: 'always' });
  const asked = Array.from({ length: 460 }, (_, i) => (i * 37) % 250);
  await answer(model, { recording: false, asked });
  const before = device.memory.report().activationsBytes;
  const { rows, made } = await answer(model, { recording: true, asked });
  expect(made.length).toBe(answerTokens);
  expect(model.runner.far?.sealed ?? 0).toBeGreaterThan(0);
  expect(rows.size).toBe(0);
  expect(device.memory.report().activationsBytes).toBe(before);
  model.free();
});
