import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { Sequence } from '../../sequence.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import type { LongCopies } from '../../ports.ts';
import { TransferFiles } from '../../../host/gpu-worker/transferFiles.ts';
import { memoryBlocks } from './testing/memoryBlocks.ts';

const contextTokens = 1024;
/** An eighth of it is room for a chunk of all tokens. */
const gpuBudgetBytes = 8_000_000;
const tokenCount = 480;

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

describe.each([
  { architecture: 'llama', others: false },
  { architecture: 'gemma3', others: false },
  { architecture: 'llama', others: true },
] as const)('$architecture beyond the GPU, brought by other threads: $others', ({ architecture, others }) => {
  const file = others ? new TransferFiles(tmpdir()) : null;
  const longCopies: LongCopies | null = file && { fewestBytes: 1, copy: (copy) => file.copy(copy) };
  const random = seededRandom(17);
  const tokens = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));
  let model: LoadedModel;
  let expected: Float32Array;
  const logits = (): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);

  beforeAll(async () => {
    const { disk } = memoryBlocks();
    const { kvBytes } = device.memory.report();
    // Sliding layers keep their windows beside the budget, and a copy of them while a large chunk is read.
    const slidingBytes = architecture === 'gemma3' ? 2 * 2 * 2 * 64 * 4 * (48 + 128 + 128) : 0;
    device.memory.limit('kv', kvBytes + gpuBudgetBytes + 2 * slidingBytes);
    model = await loadModel(device, memorySource(tinyModel({ architecture, contextTokens, layers: 2 })), {
      contextTokens,
      kvBudgetBytes: 1 << 30,
      choices: measuredChoices,
      tiers: { gpuBudgetBytes, ramBudgetBytes: 300_000, format: 'f16', disk, offload: 'always', longCopies },
    });
    await model.sequence.extend(tokens, { chunkTokens: 64 });
    expected = await logits();
    expect(model.runner.far!.sealed).toBeGreaterThanOrEqual(384);
  });
  afterAll(() => {
    device.memory.limit('kv', null);
    model.free();
    return file?.close();
  });

  const read = async (chunkTokens: number | undefined): Promise<Float32Array> => {
    model.sequence.clear();
    await model.sequence.extend(tokens, { chunkTokens });
    return logits();
  };

  test.each([7, 200, tokenCount, undefined])('chunks of %s tokens give the logits of chunks of 64', async (chunkTokens) => {
    expect(largest(await read(chunkTokens), expected)).toBeLessThan(1e-3);
  });

  test('single rows give the logits of chunks', async () => {
    await model.sequence.extend(tokens.slice(0, 440), { chunkTokens: 220 });
    await model.sequence.extend(tokens, { chunkTokens: 1 });
    expect(largest(await logits(), expected)).toBeLessThan(1e-3);
  });

  test('chunks that are encoded while others are computed give the same logits, and can be stopped', async () => {
    model.sequence.clear();
    const ahead = new Sequence(device, model.runner, { encodesAhead: true });
    const told: number[] = [];
    await ahead.extend(tokens, { chunkTokens: 64, onProgress: (done) => told.push(done) });
    expect(await logits()).toEqual(expected);
    // The first is waited for; when the second has been submitted, it is still the only one that is done.
    expect(told).toEqual([0, 64, 64, 128, 192, 256, 320, 384, 448, tokenCount]);
    ahead.clear();
    const stop = new AbortController();
    await expect(ahead.extend(tokens, { chunkTokens: 64, signal: stop.signal, onProgress: (done) => done >= 256 && stop.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(ahead.length).toBeGreaterThanOrEqual(320);
    expect(ahead.length).toBeLessThan(tokenCount);
    await ahead.extend(tokens, { chunkTokens: 64 });
    expect(await logits()).toEqual(expected);
    ahead.clear();
  });

  test.each([0, 2, 4])('a chunk of many blocks that is stopped after %i submissions is dropped, and reading goes on', async (submissions) => {
    model.sequence.clear();
    await model.sequence.extend(tokens.slice(0, 200), { chunkTokens: 200 });
    const stop = new AbortController();
    let seen = 0;
    const { queue } = device.gpu;
    const submit = queue.submit.bind(queue);
    queue.submit = (buffers) => {
      submit(buffers);
      // The first ones seal segments and copy rings.
      if (seen++ === submissions + 4) stop.abort();
    };
    const reading = model.sequence.extend(tokens, { chunkTokens: 280, signal: stop.signal });
    await expect(reading.finally(() => (queue.submit = submit))).rejects.toMatchObject({ code: 'cancelled' });
    expect(model.sequence.length).toBe(200);
    const { reusedTokens } = await model.sequence.extend(tokens, { chunkTokens: 280 });
    expect(reusedTokens).toBe(200);
    expect(largest(await logits(), expected)).toBeLessThan(1e-3);
  });

  test('a disk that fails ends the reading with its error, and the next one succeeds', async () => {
    model.sequence.clear();
    await model.sequence.extend(tokens.slice(0, 300), { chunkTokens: 300 });
    const { store } = model.runner.far!;
    const range = store.range.bind(store);
    store.range = () => Promise.reject(new Error('the disk is gone'));
    await expect(model.sequence.extend(tokens, { chunkTokens: 100 })).rejects.toThrow('the disk is gone');
    store.range = range;
    await model.sequence.extend(tokens, { chunkTokens: 100 });
    expect(largest(await logits(), expected)).toBeLessThan(1e-3);
  });
});

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return Number.isFinite(worst) ? worst : Infinity;
}
