import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { mergePartials, type Partial } from '../../reference/attention.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { type KernelFamily, kernelFamilies } from '../pointwise/bound.ts';
import { bindMerge, mostMergedSplits, type Partials } from './merge.ts';
import { largestDifference } from './testing.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

/** Stands for a split without keys. */
const nothing = Math.fround(-1e30);

interface Problem {
  vectors: number;
  headDim: number;
  splits: number;
  /** Log-sum-exps lie between this and its negative. */
  range: number;
  /** Of splits that have no keys. */
  emptyShare: number;
}

/** What the partials hold, with one split more, which must not be read. */
interface Held {
  outputs: Float32Array;
  logSumExps: Float32Array;
}

function randomProblem(random: () => number): Problem {
  const below = (most: number): number => Math.floor(random() * most);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)];
  return {
    vectors: 1 + below(6),
    headDim: oneOf([64, 80, 128, 256]),
    splits: oneOf([0, 1, below(9), below(mostMergedSplits + 1)]),
    range: oneOf([1, 80, 3000]),
    emptyShare: oneOf([0, 0.3, 1]),
  };
}

function randomPartials(random: () => number, { vectors, headDim, splits, range, emptyShare }: Problem): Held {
  const outputs = new Float32Array((splits + 1) * vectors * headDim).fill(NaN);
  const logSumExps = new Float32Array((splits + 1) * vectors).fill(NaN);
  for (let i = 0; i < splits * vectors * headDim; i++) outputs[i] = 2 * random() - 1;
  for (let i = 0; i < splits * vectors; i++) logSumExps[i] = random() < emptyShare ? nothing : range * (2 * random() - 1);
  return { outputs, logSumExps };
}

function expectedOf({ vectors, headDim, splits }: Problem, { outputs, logSumExps }: Held): Float32Array {
  const merged = new Float32Array(vectors * headDim);
  for (let vector = 0; vector < vectors; vector++) {
    // Without any split nothing is merged with nothing.
    const parts: Partial[] = [{ output: new Float64Array(headDim), logSumExp: -Infinity }];
    for (let split = 0; split < splits; split++) {
      const at = split * vectors + vector;
      parts.push({ output: Float64Array.from(outputs.subarray(at * headDim, (at + 1) * headDim)), logSumExp: logSumExps[at] === nothing ? -Infinity : logSumExps[at] });
    }
    merged.set(mergePartials(parts).output, vector * headDim);
  }
  return merged;
}

async function run({ vectors, headDim, splits }: Problem, held: Held, family: KernelFamily): Promise<Float32Array> {
  const partials: Partials = { outputs: upload(device, held.outputs), logSumExps: upload(device, held.logSumExps) };
  const output = upload(device, new Float32Array(vectors * headDim).fill(NaN));
  const merge = await bindMerge(device, { partials, output, headDim }, family);
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  merge.encode(pass, splits, vectors);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const readback = new Readback(device);
  const result = await readback.floats(output, 0, vectors * headDim);
  readback.free();
  for (const buffer of [output, partials.outputs, partials.logSumExps]) device.memory.free(buffer);
  return result;
}

describe.each<KernelFamily>(['subgroup', 'workgroup'])('merging by %s', (family) => {
  const supported = (): boolean => {
    if (kernelFamilies(device).includes(family)) return true;
    console.log(`left out: ${device.facts.name} has no kernels of the family ${family}`);
    return false;
  };

  async function check(problem: Problem, random: () => number): Promise<void> {
    const held = randomPartials(random, problem);
    const difference = largestDifference(await run(problem, held, family), expectedOf(problem, held));
    expect(difference, JSON.stringify(problem)).toBeLessThan(2e-5);
  }

  test('any number of splits, some of them without keys', async () => {
    if (!supported()) return;
    const random = seededRandom(1);
    for (let round = 0; round < 60; round++) await check(randomProblem(random), random);
  });

  test.each([0, 1, 127, 128, 129, mostMergedSplits])('%d splits', async (splits) => {
    if (!supported()) return;
    await check({ vectors: 3, headDim: 128, splits, range: 20, emptyShare: 0.2 }, seededRandom(splits));
  });
});

test('more splits than can be merged at once are refused', async () => {
  const partials: Partials = { outputs: upload(device, new Float32Array(64)), logSumExps: upload(device, new Float32Array(1)) };
  const merge = await bindMerge(device, { partials, output: upload(device, new Float32Array(64)), headDim: 64 });
  const pass = device.gpu.createCommandEncoder().beginComputePass();
  expect(() => merge.encode(pass, mostMergedSplits + 1, 1)).toThrow('257 parts are more than can be merged at once');
});
