import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import type { RwkvSpec } from '../../models/linearSpec.ts';
import { activate, rwkvKeys, rwkvRead, rwkvValue, tokenShift } from '../../reference/recurrent/rwkv.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { largestDifference, randomFloats, runStep } from '../attention/testing.ts';
import { StepUniform } from '../step.ts';
import { bindActivateRows, bindRwkvKeys, bindRwkvRead, bindRwkvValues, bindTokenShift } from './rwkv.ts';
import { StateCache } from './stateCache.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const storage = (values: number): GPUBuffer => device.memory.storage('activations', 'test', 4 * values);
const head = <Numbers extends Float32Array | Float64Array>(numbers: Numbers, first: number, count: number): Numbers => numbers.subarray(first, first + count) as Numbers;

test.each([{ columns: 64, mixes: 1, tailRow: 1 }, { columns: 192, mixes: 6, tailRow: 0 }])('rows of $columns mixed with the rows before them, $mixes times', async ({ columns, mixes, tailRow }) => {
  const rows = 20;
  const spec = { kind: 'linear', mechanism: 'rwkv', heads: columns / 64, headDim: 64 } as RwkvSpec;
  const input = randomFloats(rows * columns, 1);
  const lerp = randomFloats(mixes * columns, 2);
  const row = (i: number): Float32Array => (i < 0 ? new Float32Array(columns) : head(input, i * columns, columns));
  for (const chunks of [[rows], [1, 7, 12], Array<number>(rows).fill(1)]) {
    const cache = new StateCache(device, 'test', spec);
    const uniform = new StepUniform(device);
    const [buffer, output] = [storage(rows * columns), storage(mixes * rows * columns)];
    const bound = await bindTokenShift(device, { input: buffer, columns, lerp: upload(device, lerp), mixes, cache, tailRow, output, maxRows: rows, step: uniform.buffer });
    let position = 0;
    for (const count of chunks) {
      device.gpu.queue.writeBuffer(buffer, 0, input, position * columns, count * columns);
      const actual = await runStep(device, bound, uniform, { rows: count, position }, output, mixes * rows * columns);
      for (let i = 0; i < count; i++) {
        const expected = tokenShift(row(position + i), row(position + i - 1), lerp);
        for (const [mix, one] of expected.entries()) expect(largestDifference(head(actual, (mix * rows + i) * columns, columns), one)).toBeLessThan(1e-6);
      }
      position += count;
    }
    cache.free();
  }
});

test.each(['tanh', 'sigmoid', 'squared relu'] as const)('%s by itself, of numbers beyond what e^x holds, too', async (activation) => {
  for (const columns of [4, 36, 300]) {
    for (const scale of [1, 300]) {
      const values = randomFloats(7 * columns, columns, scale);
      const buffer = upload(device, values);
      const uniform = new StepUniform(device);
      const bound = await bindActivateRows(device, { values: buffer, columns, activation });
      const actual = await runStep(device, bound, uniform, { rows: 7, position: 0 }, buffer, values.length);
      expect(largestDifference(actual, values.map((x) => activate(activation, x)))).toBeLessThan(activation === 'squared relu' ? 1e-6 * scale * scale : 1e-6);
    }
  }
});

test.each([{ heads: 2, headDim: 64 }, { heads: 3, headDim: 20 }])('keys, values and results of $heads heads of $headDim', async ({ heads, headDim }) => {
  const columns = heads * headDim;
  const [rows, maxRows] = [5, 6];
  for (const scale of [1, 100]) {
    const region = (index: number): number => index * maxRows * columns;
    const projected = randomFloats(7 * maxRows * columns, 3, scale);
    // A head whose key is 0 has no direction.
    projected.fill(0, region(1) + columns, region(1) + columns + headDim);
    const [keyScale, keyRate, rateBias, mixBias, weight, bias, bonus] = Array.from({ length: 7 }, (_, i) => randomFloats(columns, 10 + i));
    const decays = randomFloats(rows * columns, 20).map((x) => 0.75 + 0.2 * x);
    const firsts = randomFloats(rows * columns, 21);
    const read = randomFloats(rows * columns, 22, scale);
    const [vectors, gates, erasers, firstValues, kept] = [storage(rows * 3 * columns), storage(rows * 2 * heads), storage(rows * 2 * columns), upload(device, firsts), storage(rows * columns)];
    const common = { heads, headDim, projected: upload(device, projected), vectors };
    const uniform = new StepUniform(device);
    const step = { rows, position: 0 };
    const keys = await bindRwkvKeys(device, {
      ...common,
      keys: region(1),
      rates: region(4),
      keyScale: upload(device, keyScale),
      keyRate: upload(device, keyRate),
      rateBias: upload(device, rateBias),
      decays: upload(device, decays),
      erasers,
    });
    const erased = await runStep(device, keys, uniform, step, erasers, rows * 2 * columns);
    const first = await bindRwkvValues(device, { ...common, queries: region(0), values: region(2), mix: null, firstValues: kept, gates });
    expect(await runStep(device, first, uniform, step, kept, rows * columns)).toEqual(head(projected, region(2), rows * columns));
    const values = await bindRwkvValues(device, { ...common, queries: region(0), values: region(2), mix: { region: region(5), bias: upload(device, mixBias) }, firstValues, gates });
    const mixed = await runStep(device, values, uniform, step, vectors, rows * 3 * columns);
    expect([...(await runStep(device, values, uniform, step, gates, rows * 2 * heads))]).toEqual(Array(rows * 2 * heads).fill(1));
    const results = upload(device, read);
    const reading = await bindRwkvRead(device, { ...common, gateRegion: region(6), values: results, weight: upload(device, weight), bias: upload(device, bias), bonus: upload(device, bonus), epsilon: 64e-5 });
    const actual = await runStep(device, reading, uniform, step, results, rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let h = 0; h < heads; h++) {
        const of = (numbers: Float32Array, from = 0): Float32Array => head(numbers, from + h * headDim, headDim);
        const at = (index: number): Float32Array => of(projected, region(index) + row * columns);
        const expected = rwkvKeys(at(1), { keyScale: of(keyScale), keyRate: of(keyRate), rate: at(4).map((x, i) => x + of(rateBias)[i]), decays: of(decays, row * columns) });
        const place = 2 * (row * columns + h * headDim);
        const own = [0, 1, 2].map((kind) => of(mixed, (3 * row + kind) * columns));
        expect(largestDifference(own[1], expected.keys)).toBeLessThan(2e-6 * scale);
        expect(largestDifference(head(erased, place, headDim), expected.a)).toBeLessThan(2e-6);
        expect(largestDifference(head(erased, place + headDim, headDim), expected.b)).toBeLessThan(2e-6);
        expect(own[0]).toEqual(at(0));
        expect(largestDifference(own[2], at(2).map((x, i) => rwkvValue(x, of(firsts, row * columns)[i], at(5)[i] + of(mixBias)[i])))).toBeLessThan(2e-6 * scale);
        const parts = { queries: own[0], keys: own[1], values: own[2], gate: at(6), weight: of(weight), bias: of(bias), bonus: of(bonus) };
        const given = rwkvRead(of(read, row * columns), parts, 64e-5);
        // Sums of products of queries, keys, values and gates.
        expect(largestDifference(of(actual, row * columns), given)).toBeLessThan(1e-5 * scale ** 4);
      }
    }
  }
});
