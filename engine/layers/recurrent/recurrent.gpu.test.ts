import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import type { GatedDeltaSpec, LinearSpec, ShortConvolutionSpec } from '../../models/linearSpec.ts';
import { silu } from '../../reference/gated.ts';
import { deltaGates, unitHeads } from '../../reference/recurrent/gatedDelta.ts';
import { gatedHeadNorm } from '../../reference/recurrent/gatedHeadNorm.ts';
import { emptyState, scan } from '../../reference/recurrent/scan.ts';
import { keyDecay } from '../../reference/recurrent/keyDecays.ts';
import { shortConvolution } from '../../reference/recurrent/shortConvolution.ts';
import { stateSpaceGates } from '../../reference/recurrent/stateSpace.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats } from '../attention/testing.ts';
import { type Bound, kernelFamilies } from '../pointwise/bound.ts';
import { StepUniform } from '../step.ts';
import { bindDeltaGates, bindUnitHeads } from './gatedDelta.ts';
import { bindGatedHeadNorm } from './gatedHeadNorm.ts';
import { bindScan, scanFamilies } from './scan.ts';
import { bindShortConvolution } from './shortConvolution.ts';
import { bindStateSpaceGates } from './stateSpace.ts';
import { bindKeyDecays } from './keyDecays.ts';
import { StateCache } from './stateCache.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

/** Runs the rows of `input` ([rows][columns]) in chunks of the given sizes and returns what `output` held after each. */
async function inChunks(bound: Bound, step: StepUniform, input: { buffer: GPUBuffer; values: Float32Array<ArrayBuffer>; columns: number }[], output: { buffer: GPUBuffer; columns: number }, chunks: readonly number[]): Promise<Float32Array> {
  const results: number[] = [];
  let position = 0;
  for (const rows of chunks) {
    for (const { buffer, values, columns } of input) device.gpu.queue.writeBuffer(buffer, 0, values, position * columns, rows * columns);
    step.write({ rows, position });
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    bound.encode(pass, { rows, position });
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    for (const value of await readback.floats(output.buffer, 0, rows * output.columns)) results.push(value);
    position += rows;
  }
  return Float32Array.from(results);
}

const rows = 20;
const cuts = [[rows], [1, 7, 12], Array<number>(rows).fill(1)];
const noTensors = { matrices: { projections: [], output: [] }, vectors: {} };
const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'test', 4 * values);

test.each([
  { heads: 2, keyHeads: 2, headDim: 4 },
  { heads: 4, keyHeads: 2, headDim: 36 },
  { heads: 2, keyHeads: 1, headDim: 128 },
])('the recurrence of $heads heads of $headDim', async ({ heads, keyHeads, headDim }) => {
  for (const [keyHeadOrder, erase] of [['tiled', true], ['grouped', false]] as const) {
    const spec = { kind: 'linear', mechanism: 'gated delta', keyHeads, valueHeads: heads, headDim, taps: 4, keyHeadOrder, gateOrder: 'alpha, beta', windowTokens: null, tensors: noTensors } as unknown as GatedDeltaSpec;
    const columns = (2 * keyHeads + heads) * headDim + 4;
    const shape = { heads, keyHeads, keyDim: headDim, valueDim: headDim, stride: columns, queryOffset: 4, keyOffset: 4 + keyHeads * headDim, valueOffset: 4 + 2 * keyHeads * headDim, keyHeadOrder };
    // Keys as long as the delta rule needs them, so that nothing grows.
    const vectors = randomFloats(rows * columns, headDim).map((x) => x / Math.sqrt(headDim / 3));
    const gates = randomFloats(rows * 2 * heads, 7).map((x) => (x + 1) / 2);
    const skip = erase ? undefined : randomFloats(heads, 4);
    const expected = scan({ ...shape, erase }, vectors, gates, emptyState(shape), { skip });
    for (const family of scanFamilies(device)) {
      let whole: Float32Array | null = null;
      for (const chunks of family === 'subgroup' ? cuts : cuts.slice(1, 2)) {
        const cache = new StateCache(device, 'test', spec);
        const step = new StepUniform(device);
        const [vectorBuffer, gateBuffer, output] = [storage(rows * columns), storage(rows * 2 * heads), storage(rows * heads * headDim)];
        const bound = await bindScan(device, { ...shape, erase, skip: skip && upload(device, skip), vectors: vectorBuffer, gates: gateBuffer, cache, output, step: step.buffer }, family);
        const input = [{ buffer: vectorBuffer, values: vectors, columns }, { buffer: gateBuffer, values: gates, columns: 2 * heads }];
        const actual = await inChunks(bound, step, input, { buffer: output, columns: heads * headDim }, chunks);
        expect(largestDifference(actual, expected), `${family} ${chunks.join('+')}`).toBeLessThan(2e-5);
        // The same bits, however the rows are cut.
        whole ??= actual;
        expect(actual).toEqual(whole);
        cache.free();
      }
    }
  }
});

test.each([
  { name: 'nothing decays, keys repeat, values are written at full strength', decay: () => 1, strength: () => 1, directions: 1 },
  { name: 'nothing decays, keys are nearly the same', decay: () => 1, strength: (i: number) => 1 - 1e-7 * (i % 5), directions: 3 },
  { name: 'all is forgotten or nothing', decay: (i: number) => (i % 1000 === 0 ? 0 : 1), strength: (i: number) => i % 2, directions: 3 },
])('100 000 rows where $name', async ({ decay, strength, directions }) => {
  const [count, atOnce, dim] = [100_000, 10_000, 4];
  const spec = { kind: 'linear', mechanism: 'gated delta', keyHeads: 1, valueHeads: 1, headDim: dim, taps: 4, windowTokens: null, tensors: noTensors } as unknown as GatedDeltaSpec;
  const shape = { heads: 1, keyHeads: 1, keyDim: dim, valueDim: dim, stride: 3 * dim, queryOffset: 0, keyOffset: dim, valueOffset: 2 * dim, keyHeadOrder: 'grouped' as const, erase: true };
  const keys = Array.from({ length: directions }, (_, i) => [1, 1e-3 * i, -1e-3 * i, 1e-4].map((x, _, all) => x / Math.hypot(...all)));
  const values = randomFloats(count * dim, 12);
  const vectors = Float32Array.from({ length: count * 3 * dim }, (_, i) => {
    const [row, within] = [Math.floor(i / (3 * dim)), i % (3 * dim)];
    return within < 2 * dim ? keys[row % directions][within % dim] : values[row * dim + within - 2 * dim];
  });
  const gates = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? decay(i / 2) : strength((i - 1) / 2)));
  const expected = scan(shape, vectors, gates, emptyState(shape));
  const step = new StepUniform(device);
  const [vectorBuffer, gateBuffer, output] = [storage(atOnce * 3 * dim), storage(2 * atOnce), storage(atOnce * dim)];
  const bound = await bindScan(device, { ...shape, vectors: vectorBuffer, gates: gateBuffer, cache: new StateCache(device, 'test', spec), output, step: step.buffer });
  const input = [{ buffer: vectorBuffer, values: vectors, columns: 3 * dim }, { buffer: gateBuffer, values: gates, columns: 2 }];
  const actual = await inChunks(bound, step, input, { buffer: output, columns: dim }, Array<number>(count / atOnce).fill(atOnce));
  expect(largestDifference(actual, expected)).toBeLessThan(1e-4);
});

test.each([true, false, 'vectors'] as const)('a recurrence whose keys decay each by themselves, erasing: %s', async (erase) => {
  const [heads, headDim] = [3, 36];
  const spec = { kind: 'linear', mechanism: 'gated delta', keyHeads: heads, valueHeads: heads, headDim, taps: 4, windowTokens: null, tensors: noTensors } as unknown as GatedDeltaSpec;
  const columns = 3 * heads * headDim;
  const shape = { heads, keyHeads: heads, keyDim: headDim, valueDim: headDim, stride: columns, queryOffset: 0, keyOffset: heads * headDim, valueOffset: 2 * heads * headDim, keyHeadOrder: 'grouped' as const, erase };
  const vectors = randomFloats(rows * columns, 3).map((x) => x / Math.sqrt(headDim / 3));
  const gates = randomFloats(rows * 2 * heads, 7).map((x) => (x + 1) / 2);
  const decays = randomFloats(rows * heads * headDim, 8).map((x) => (x + 1) / 2);
  const erasers = erase === 'vectors' ? randomFloats(rows * 2 * heads * headDim, 9).map((x) => x / Math.sqrt(headDim / 3)) : undefined;
  const expected = scan(shape, vectors, gates, emptyState(shape), { decays, erasers });
  for (const [family, chunks] of scanFamilies(device).flatMap((family) => cuts.slice(0, 2).map((chunks) => [family, chunks] as const))) {
    const cache = new StateCache(device, 'test', spec);
    const step = new StepUniform(device);
    const sources = [
      { values: vectors, columns },
      { values: gates, columns: 2 * heads },
      { values: decays, columns: heads * headDim },
      ...(erasers ? [{ values: erasers, columns: 2 * heads * headDim }] : []),
    ].map((source) => ({ ...source, buffer: storage(rows * source.columns) }));
    const [vectorBuffer, gateBuffer, decayBuffer, eraserBuffer] = sources.map(({ buffer }) => buffer);
    const output = storage(rows * heads * headDim);
    const bound = await bindScan(device, { ...shape, vectors: vectorBuffer, gates: gateBuffer, decays: decayBuffer, erasers: eraserBuffer, cache, output, step: step.buffer }, family);
    const actual = await inChunks(bound, step, sources, { buffer: output, columns: heads * headDim }, chunks);
    expect(largestDifference(actual, expected), `${family} ${chunks.join('+')}`).toBeLessThan(2e-5);
    cache.free();
  }
});

test('decays of keys: Kimi Delta Attention, gated linear attention, RWKV-7', async () => {
  const [heads, headDim] = [3, 20];
  const columns = heads * headDim;
  for (const scale of [2, 300]) {
    const input = randomFloats(rows * columns, 5, scale);
    const bias = randomFloats(columns, 6);
    const rate = randomFloats(heads, 7).map((x) => -4 * Math.abs(x));
    for (const form of ['softplus', 'log sigmoid', 'bounded'] as const) {
      const step = new StepUniform(device);
      const output = storage(rows * columns);
      const bound = await bindKeyDecays(device, { form, input: upload(device, input), stride: columns, offset: 0, rate: upload(device, rate), bias: upload(device, bias), output, heads, headDim });
      const actual = await inChunks(bound, step, [], { buffer: output, columns }, [rows]);
      const expected = input.map((x, i) => keyDecay(form, x + bias[i % columns], rate[Math.floor((i % columns) / headDim)]));
      expect(largestDifference(actual, expected), form).toBeLessThan(3e-6);
    }
  }
});

test.each([
  { channels: 8, taps: 4, silu: true, gated: false, biased: false },
  { channels: 36, taps: 4, silu: true, gated: false, biased: true },
  { channels: 64, taps: 3, silu: false, gated: true, biased: false },
])('a convolution of $channels channels over $taps rows', async ({ channels, taps, silu: activated, gated, biased }) => {
  const spec = { kind: 'linear', mechanism: 'short convolution', channels, taps, windowTokens: null, tensors: noTensors } as unknown as ShortConvolutionSpec;
  const columns = (gated ? 3 : 1) * channels + 12;
  const input = randomFloats(rows * columns, channels);
  const weight = randomFloats(channels * taps, 2);
  const bias = biased ? randomFloats(channels, 3) : null;
  const block = (row: number, i: number): Float32Array => input.subarray(row * columns + 8 + i * channels, row * columns + 8 + (i + 1) * channels);
  const inputs = new Float64Array(rows * channels);
  for (let row = 0; row < rows; row++) inputs.set(gated ? block(row, 0).map((x, i) => x * block(row, 2)[i]) : block(row, 0), row * channels);
  const expected = shortConvolution(inputs, weight, new Float64Array((taps - 1) * channels), { channels, taps, bias }).map((x, i) => {
    const value = activated ? silu(x) : x;
    return gated ? value * block(Math.floor(i / channels), 1)[i % channels] : value;
  });
  for (const family of kernelFamilies(device)) {
    for (const chunks of cuts) {
      const cache = new StateCache(device, 'test', spec satisfies LinearSpec);
      const step = new StepUniform(device);
      const [buffer, output] = [storage(rows * columns), storage(rows * channels)];
      const bound = await bindShortConvolution(
        device,
        { input: buffer, inputColumns: columns, inputOffset: 8, weight: upload(device, weight), bias: bias ? upload(device, bias) : undefined, cache, output, step: step.buffer, channels, taps, silu: activated, gated },
        family,
      );
      const actual = await inChunks(bound, step, [{ buffer, values: input, columns }], { buffer: output, columns: channels }, chunks);
      expect(largestDifference(actual, expected), `${family} ${chunks.join('+')}`).toBeLessThan(2e-6);
      cache.free();
    }
  }
});

test('gates of Gated DeltaNet, with numbers beyond what e^x holds', async () => {
  const [heads, stride] = [6, 20];
  for (const scale of [2, 300]) {
    const input = randomFloats(rows * stride, 5, scale);
    const rate = randomFloats(heads, 6).map((x) => -8 * Math.abs(x));
    const bias = randomFloats(heads, 7);
    for (const family of kernelFamilies(device)) {
      const step = new StepUniform(device);
      const gates = storage(rows * 2 * heads);
      const bound = await bindDeltaGates(device, { input: upload(device, input), stride, alphaOffset: 3, betaOffset: 11, run: heads, rate: upload(device, rate), bias: upload(device, bias), gates, step: step.buffer, heads }, family);
      const actual = await inChunks(bound, step, [], { buffer: gates, columns: 2 * heads }, [rows]);
      for (let row = 0; row < rows; row++) {
        const at = (offset: number): Float32Array => input.subarray(row * stride + offset, row * stride + offset + heads);
        expect(largestDifference(actual.subarray(2 * row * heads, 2 * (row + 1) * heads), deltaGates(at(3), at(11), rate, bias))).toBeLessThan(3e-6);
      }
    }
  }
});

test('gates that lie by key head', async () => {
  const [heads, run] = [6, 3];
  const [input, rate, bias] = [randomFloats(rows * 2 * heads, 5, 2), randomFloats(heads, 6).map((x) => -Math.abs(x)), randomFloats(heads, 7)];
  const step = new StepUniform(device);
  const gates = storage(rows * 2 * heads);
  const bound = await bindDeltaGates(device, { input: upload(device, input), stride: 2 * heads, alphaOffset: run, betaOffset: 0, run, rate: upload(device, rate), bias: upload(device, bias), gates, step: step.buffer, heads });
  const actual = await inChunks(bound, step, [], { buffer: gates, columns: 2 * heads }, [rows]);
  for (let row = 0; row < rows; row++) {
    const own = input.subarray(2 * row * heads, 2 * (row + 1) * heads);
    const ofRun = (odd: number): Float32Array => own.filter((_, i) => Math.floor(i / run) % 2 === odd);
    expect(largestDifference(actual.subarray(2 * row * heads, 2 * (row + 1) * heads), deltaGates(ofRun(1), ofRun(0), rate, bias))).toBeLessThan(3e-6);
  }
});

test('gates of Mamba-2', async () => {
  const [heads, stride] = [5, 12];
  for (const scale of [2, 300]) {
    const [input, rate, bias] = [randomFloats(rows * stride, 5, scale), randomFloats(heads, 6).map((x) => -8 * Math.abs(x)), randomFloats(heads, 7)];
    const step = new StepUniform(device);
    const gates = storage(rows * 2 * heads);
    const bound = await bindStateSpaceGates(device, { input: upload(device, input), stride, offset: 4, rate: upload(device, rate), bias: upload(device, bias), gates, step: step.buffer, heads });
    const actual = await inChunks(bound, step, [], { buffer: gates, columns: 2 * heads }, [rows]);
    for (let row = 0; row < rows; row++) {
      const expected = stateSpaceGates(input.subarray(row * stride + 4, row * stride + 4 + heads), rate, bias);
      expect(largestDifference(actual.subarray(2 * row * heads, 2 * (row + 1) * heads), expected)).toBeLessThan(3e-6 * scale);
    }
  }
});

test('heads are scaled to a length of their own', async () => {
  const [headDim, queries, keys] = [36, 3, 2];
  const columns = (queries + keys) * headDim + 8;
  const values = randomFloats(rows * columns, 8, 5);
  values.fill(0, columns + headDim, columns + 2 * headDim);
  for (const family of kernelFamilies(device)) {
    const step = new StepUniform(device);
    const buffer = storage(rows * columns);
    const bound = await bindUnitHeads(device, { vectors: buffer, stride: columns, queries, keys, headDim, queryScale: 0.25, epsilon: 1e-6 }, family);
    const actual = await inChunks(bound, step, [{ buffer, values, columns }], { buffer, columns }, [rows]);
    const expected = Float64Array.from(values);
    for (let row = 0; row < rows; row++) {
      unitHeads(expected.subarray(row * columns, row * columns + queries * headDim), headDim, 0.25, 1e-6);
      unitHeads(expected.subarray(row * columns + queries * headDim, row * columns + (queries + keys) * headDim), headDim, 1, 1e-6);
    }
    expect(largestDifference(actual, expected), family).toBeLessThan(1e-6);
  }
});

test.each([
  { gated: 'after', activation: 'silu', heads: 4, headDim: 32, weights: 32 },
  { gated: 'before', activation: 'silu', heads: 1, headDim: 144, weights: 144 },
  { gated: 'after', activation: 'sigmoid', heads: 3, headDim: 8, weights: 24 },
] as const)('norm and gate, the gate $gated the norm', async ({ gated, activation, heads, headDim, weights }) => {
  const columns = heads * headDim;
  const [gateStride, gateOffset] = [columns + 12, 8];
  for (const scale of [1, 200]) {
    const values = randomFloats(rows * columns, 9, scale);
    const gates = randomFloats(rows * gateStride, 10, scale);
    const weight = randomFloats(weights, 11);
    for (const family of kernelFamilies(device)) {
      const step = new StepUniform(device);
      const buffer = storage(rows * columns);
      const bound = await bindGatedHeadNorm(device, { values: buffer, gate: upload(device, gates), gateStride, gateOffset, weight: upload(device, weight), weights, heads, headDim, epsilon: 1e-6, activation, gated }, family);
      const actual = await inChunks(bound, step, [{ buffer, values, columns }], { buffer, columns }, [rows]);
      for (let row = 0; row < rows; row++) {
        const gate = gates.subarray(row * gateStride + gateOffset, row * gateStride + gateOffset + columns);
        const expected = gatedHeadNorm(values.subarray(row * columns, (row + 1) * columns), gate, { headDim, weight, epsilon: 1e-6, activation, gated });
        expect(largestDifference(actual.subarray(row * columns, (row + 1) * columns), expected), family).toBeLessThan(4e-6 * scale);
      }
    }
  }
});
