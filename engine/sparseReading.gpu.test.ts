import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { Readback } from './device/readback.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { seededRandom } from './formats/quantisation/testing/seededRandom.ts';
import { memoryBlocks } from './kv/tiers/testing/memoryBlocks.ts';
import type { SparseReading } from './layers/sparseReading/sparseReading.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { measuredChoices, openTestDevice } from './testing/device.ts';
import { tinyModel } from './testing/tinyModel.ts';

const contextTokens = 2048;
const tokenCount = 1100;
/** Where a chunk ends in any case. */
const fromTokens = 384;

let device: Device;
let readback: Readback;
let opened: LoadedModel[] = [];
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterEach(() => {
  for (const model of opened) model.free();
  opened = [];
});
afterAll(() => device.destroy());

const random = seededRandom(23);
const tokens = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));

async function open(sparseReading: SparseReading | null, where: 'resident' | 'far', format: 'f16' | 'q8' = 'f16'): Promise<LoadedModel> {
  const model = await loadModel(device, memorySource(tinyModel({ architecture: 'llama', contextTokens, layers: 2 })), {
    contextTokens,
    kvBudgetBytes: 1 << 30,
    choices: measuredChoices,
    sparseReading,
    tiers: where === 'far' ? { gpuBudgetBytes: 8_000_000, ramBudgetBytes: 200_000, format, disk: memoryBlocks().disk, offload: 'always' } : null,
  });
  opened.push(model);
  return model;
}

async function read({ runner, sequence, spec }: LoadedModel, sparseBefore: number | undefined, chunkTokens = 128): Promise<Float32Array> {
  sequence.clear();
  await runner.truncate(0);
  await sequence.extend(tokens, { chunkTokens, sparseBefore });
  return readback.floats(runner.logits, 0, spec.vocabularySize);
}

describe.each(['resident', 'far'] as const)('keys %s', (where) => {
  test('all blocks chosen give the logits of attention to everything, and fewer give others', async () => {
    const dense = await open(null, where);
    const expected = await read(dense, tokenCount);
    expect(dense.runner.takeReadingTally()).toBeNull();
    const whole = await open({ share: 1, fromTokens }, where);
    const logits = await read(whole, tokenCount);
    expect(largest(logits, expected)).toBeLessThan(1e-3);
    // Where the chosen keys stream by, they come in the same windows to the same kernels.
    if (where === 'far') expect([...logits]).toEqual([...expected]);
    expect(whole.runner.takeReadingTally()).toEqual({ rows: tokenCount - fromTokens, skippedShare: 0 });

    const few = await open({ share: 0.1, fromTokens }, where);
    expect(largest(await read(few, tokenCount), expected)).toBeGreaterThan(1e-3);
    const { rows, skippedShare } = few.runner.takeReadingTally()!;
    expect(rows).toBe(tokenCount - fromTokens);
    expect(skippedShare).toBeGreaterThan(0.3);
    expect(skippedShare).toBeLessThan(0.9);
    // What is asked about the document, and all that is before the threshold, is read exactly.
    expect([...(await read(few, undefined))]).toEqual([...expected]);
    await read(few, 700);
    expect(few.runner.takeReadingTally()!.rows).toBe(700 - fromTokens);
  });
});

test.each(['f16', 'q8'] as const)('beyond the GPU blocks that are not chosen are not read, %s', async (format) => {
  const bytesOf = async (sparseReading: SparseReading | null): Promise<number> => {
    const model = await open(sparseReading, 'far', format);
    await read(model, tokenCount);
    const { ramReadBytes, diskReadBytes } = model.runner.far!.store.bytes;
    expect(diskReadBytes).toBeGreaterThan(0);
    return ramReadBytes + diskReadBytes;
  };
  const all = await bytesOf({ share: 1, fromTokens });
  expect(all).toBe(await bytesOf(null));
  expect(await bytesOf({ share: 0.1, fromTokens })).toBeLessThan(0.7 * all);
});

test('a context that ends before the threshold keeps no means', async () => {
  const model = await open({ share: 0.25, fromTokens: contextTokens }, 'resident');
  expect(model.runner.sparseReading).toBeNull();
});

test('after going back the means are those of what is there now', async () => {
  const model = await open({ share: 0.1, fromTokens }, 'resident');
  // Where a chunk ends both times: other rows would choose other blocks.
  const other = tokens.map((token, at) => (at < fromTokens + 100 ? token : 255 - token));
  const logits = (): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);
  const options = { chunkTokens: 100, sparseBefore: tokenCount };
  await model.sequence.extend(other, options);
  await model.sequence.extend(tokens, options);
  const gone = await logits();
  model.sequence.clear();
  await model.sequence.extend(tokens, options);
  expect(largest(await logits(), gone)).toBeLessThan(1e-4);
});

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return Number.isFinite(worst) ? worst : Infinity;
}
