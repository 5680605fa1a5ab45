import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { chooseExperts, combine, expertRows, multiplyChosen } from '../../reference/experts.ts';
import { expand, magnitude } from '../../reference/matmul.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats, runStep } from '../attention/testing.ts';
import { createLinearKernels } from '../linear/linear.ts';
import type { UnpackedMatrix } from '../linear/matrix.ts';
import { randomNumbers, randomSource, type SourceKind } from '../linear/testing/sources.ts';
import { kernelFamilies } from '../pointwise/bound.ts';
import { StepUniform } from '../step.ts';
import { bindExpertProduct, expertKernels } from './product.ts';
import { bindChoose, bindCombine, bindGroup, chooseFamilies } from './routing.ts';
import { smallestTileRows, tileCount } from './tiles.ts';

let device: Device;
let readback: Readback;
let step: StepUniform;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  step = new StepUniform(device);
});
afterAll(() => device.destroy());

const storage = (words: number): GPUBuffer => device.memory.storage('activations', 'test', words * 4);
const integers = async (buffer: GPUBuffer, count: number): Promise<Uint32Array> => new Uint32Array(await readback.read(buffer, 0, count * 4));

describe('choice', () => {
  test.each([
    { experts: 8, chosen: 8, scale: 1 },
    { experts: 10, chosen: 3, scale: 30 },
    { experts: 128, chosen: 8, scale: 1 },
    { experts: 509, chosen: 10, scale: 1e4 },
  ])('$chosen of $experts experts, logits up to $scale', async ({ experts, chosen, scale }) => {
    const rows = 7;
    for (const family of chooseFamilies(device)) {
      for (const [normalised, sharedGate] of [[true, false], [false, true]] as const) {
        const width = experts + (sharedGate ? 1 : 0);
        const logits = randomFloats(rows * width, experts + chosen, scale);
        // Some are equal, so that the order of equals shows.
        logits.copyWithin(1, 0, 2);
        const io = { logits: upload(device, logits), choice: storage(rows * chosen), shares: storage(rows * (chosen + 1)), experts, chosen, normalised, scale: 1.5, sharedGate };
        const shares = await runStep(device, await bindChoose(device, io, family), step, { rows, position: 0 }, io.shares, rows * (chosen + 1));
        const choice = await integers(io.choice, rows * chosen);
        for (let row = 0; row < rows; row++) {
          const own = logits.subarray(row * width, row * width + experts);
          const expected = chooseExperts(own, chosen, normalised, 1.5);
          expect([...choice.subarray(row * chosen, (row + 1) * chosen)], family).toEqual(expected.experts);
          const shared = sharedGate ? 1 / (1 + Math.exp(-logits[row * width + experts])) : 1;
          expect(largestDifference(shares.subarray(row * (chosen + 1), (row + 1) * (chosen + 1)), [...expected.shares, shared]), family).toBeLessThan(2e-6);
        }
      }
    }
  });

  test('logits that are no numbers choose experts that exist', async () => {
    const io = { logits: upload(device, new Float32Array(20).fill(NaN)), choice: storage(4), shares: storage(6), experts: 10, chosen: 2, normalised: true, scale: 1, sharedGate: false };
    for (const family of chooseFamilies(device)) {
      await runStep(device, await bindChoose(device, io, family), step, { rows: 2, position: 0 }, io.shares, 6);
      for (const expert of await integers(io.choice, 4)) expect(expert).toBeLessThan(10);
    }
  });
});

test('groups have each pair once, with its expert, in tiles that are as full as can be', async () => {
  const random = randomNumbers(3);
  for (const [rows, experts, chosen, tileRows] of [[1, 4, 2, 8], [40, 5, 2, 8], [33, 64, 6, 32], [9, 3, 3, 32]]) {
    const choice = Uint32Array.from({ length: rows * chosen }, () => Math.min(random.between(0, experts - 1), random.between(0, experts - 1)));
    const tiles = tileCount(rows, { experts, chosen }, tileRows);
    const io = { choice: upload(device, choice), order: storage(choice.length), tiles: storage(4 * tiles), experts, chosen, tileRows, step: step.buffer, maxRows: rows };
    await runStep(device, await bindGroup(device, io), step, { rows, position: 0 }, io.order, 1);
    const order = await integers(io.order, choice.length);
    const found = new Map<number, number[]>();
    const words = await integers(io.tiles, 4 * tiles);
    for (let tile = 0; tile < tiles; tile++) {
      const [expert, first, count] = words.subarray(4 * tile);
      for (const pair of order.subarray(first, first + count)) expect(choice[pair]).toBe(expert);
      if (count > 0) found.set(expert, [...(found.get(expert) ?? []), count]);
    }
    expect([...order].sort((a, b) => a - b)).toEqual([...choice.keys()]);
    for (const [expert, counts] of found) {
      expect(counts.reduce((a, b) => a + b, 0)).toBe(choice.filter((one) => one === expert).length);
      expect(counts.filter((count) => count < tileRows).length).toBeLessThanOrEqual(1);
    }
  }
});

const kinds: SourceKind[] = ['u8/32 f16', 'u4/32+ f16', 'f16', 'u8/16 f32'];

// Adapters that compute on the processor have no use for workgroup memory, but can run what has.
const families = kernelFamilies(await openTestDevice());

describe.each(families)('products: %s', (family) => {
  test.each(kinds)('%s: random shapes with tails, few rows and many, split at a tiny binding limit', async (kind) => {
    const random = randomNumbers(family.length);
    const variant = { ...expertKernels(device, family), fromRows: 5 };
    const [experts, chosen, inputs, columns, maxRows] = [random.between(3, 7), random.between(1, 3), 32 * random.between(1, 5), random.between(20, 90), 23];
    const source = randomSource(random, kind, experts * columns, inputs);
    const dense = source.kind === 'float' ? source : expand(source.rows);
    const linear = await createLinearKernels(device, { get: () => undefined, set: () => undefined }, { bindingLimitBytes: kind === 'u4/32+ f16' ? 16_000 : undefined });
    const weights = await linear.upload('experts', [source as UnpackedMatrix]);
    for (const pairsPerInput of [chosen, 1]) {
      const input = randomFloats((maxRows * chosen) / pairsPerInput * inputs, 5);
      const choice = Uint32Array.from({ length: maxRows * chosen }, () => random.between(0, experts - 1));
      const [outputOffset, outputStride] = [3, columns + 5];
      const buffers = { choice: upload(device, choice), order: storage(choice.length), tiles: storage(4 * tileCount(maxRows, { experts, chosen }, variant.tileRows)) };
      const output = storage(choice.length * outputStride);
      const io = { ...buffers, input: upload(device, input), output, outputOffset, outputStride, pairsPerInput, experts, chosen };
      const product = await bindExpertProduct(device, weights, io, variant);
      const group = await bindGroup(device, { ...buffers, experts, chosen, tileRows: variant.tileRows, step: step.buffer, maxRows });
      const both = { encode: (pass: GPUComputePassEncoder, now: { rows: number; position: number }) => (group.encode(pass, now), product.encode(pass, now)) };
      for (const rows of [1, 4, maxRows]) {
        const pairs = rows * chosen;
        const actual = await runStep(device, both, step, { rows, position: 0 }, output, choice.length * outputStride);
        const expected = multiplyChosen(input, choice.subarray(0, pairs), pairsPerInput, dense, experts);
        for (let pair = 0; pair < pairs; pair++) {
          const size = magnitude(input.subarray(Math.floor(pair / pairsPerInput) * inputs).subarray(0, inputs), 1, expertRows(dense, experts, choice[pair]));
          const from = pair * outputStride + outputOffset;
          const error = Math.max(...Array.from(size, (one, i) => Math.abs(actual[from + i] - expected[pair * columns + i]) / (one / Math.sqrt(inputs) + 1e-30)));
          expect(error, `${rows} rows, pair ${pair}`).toBeLessThan(1e-5 * Math.sqrt(inputs));
        }
      }
      // What lies beside the columns and after the rows was never written.
      expect([...(await readback.floats(output, 0, outputOffset))]).toEqual(Array(outputOffset).fill(0));
    }
    weights.free();
  });
});

test.each([8, 576])('sum of %i columns', async (columns) => {
  const [rows, chosen] = [5, 3];
  const branches = randomFloats(rows * chosen * columns, 1);
  const shares = randomFloats(rows * (chosen + 1), 2);
  const before = randomFloats(rows * columns, 4);
  for (const shared of [null, randomFloats(rows * columns, 3)]) {
    for (const add of [false, true]) {
      const output = upload(device, before);
      const io = { branches: upload(device, branches), shares: upload(device, shares), shared: shared && upload(device, shared), output, columns, chosen, add };
      const actual = await runStep(device, await bindCombine(device, io), step, { rows, position: 0 }, output, rows * columns);
      const expected = combine(branches, shares, shared, chosen, columns).map((sum, i) => sum + (add ? before[i] : 0));
      expect(largestDifference(actual, expected)).toBeLessThan(2e-6);
    }
  }
});

test('no kernels have smaller tiles than scratch is made for', () => {
  for (const family of families) expect(expertKernels(device, family).tileRows).toBeGreaterThanOrEqual(smallestTileRows);
});
