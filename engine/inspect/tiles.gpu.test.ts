import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import type { KvLayout } from '../layers/attention/layout.ts';
import { fillCache, type ProblemShape, randomProblem } from '../layers/attention/testing.ts';
import { sinkTokens } from '../retrieval/layout.ts';
import type { AttentionProblem } from '../reference/attention.ts';
import { attentionTile, rowLogSums, rowStatistics } from '../reference/inspect.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { bucketsOf, columnsOf, type KeyRange, type LayerRows, RangeKernels, recentTokens, statisticsFloats, type TileShape } from './rangeKernels.ts';

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

interface GpuTile {
  sums: Float32Array;
  peaks: Float32Array;
  peakKeys: Uint32Array;
}

/** A problem on the GPU, its keys in a cache (a ring where it has a window) that is looked at in ranges. */
class Scene {
  readonly layer: LayerRows;
  readonly #kernels: RangeKernels;
  readonly #ranges: KeyRange[];

  /** `divided`: as on a GPU, whose keys are divided among workgroups, one in hand at a time. */
  constructor(problem: AttentionProblem, ranges: number, half: boolean, divided = false) {
    this.#kernels = new RangeKernels(device, divided ? { busyWorkgroups: 40, fewestKeys: 7, keysAtOnce: 1 } : { keysAtOnce: 4 });
    const { rows, heads, kvHeads, headDim, position, window } = problem;
    const tokens = position + rows;
    const first = window === null ? 0 : Math.max(0, position - window + 1);
    const layout: KvLayout = { format: half ? 'f16' : 'f32', kvHeads, headDim, capacitySlots: window === null ? tokens : Math.min(tokens, window + rows + 3) };
    const keys = device.memory.storage('kv', 'keys', kvHeads * layout.capacitySlots * headDim * 4);
    fillCache(device, keys, layout, problem.keys, Math.max(0, tokens - layout.capacitySlots), tokens);
    this.layer = { queries: upload(device, problem.queries), logSums: upload(device, new Float32Array(rows * heads).fill(-1e30)), heads, kvHeads, headDim, window, rows, position };
    const cuts = Array.from({ length: ranges + 1 }, (_, i) => first + Math.floor(((tokens - first) * i) / ranges));
    this.#ranges = cuts.slice(1).map((endKey, i) => ({ keys, format: layout.format, capacitySlots: layout.capacitySlots, slotOrigin: 0, firstKey: cuts[i], endKey }));
  }

  async logSums(heads = Array.from({ length: this.layer.heads }, (_, head) => head)): Promise<Float32Array> {
    for (const range of this.#ranges) this.#run(await this.#kernels.logSums(this.layer, range, heads));
    return readback.floats(this.layer.logSums, 0, this.layer.rows * this.layer.heads);
  }

  async tile(heads: readonly number[], shape: TileShape): Promise<GpuTile> {
    const cells = columnsOf(shape) * bucketsOf(shape);
    const zeros = () => upload(device, new Float32Array(cells));
    const out = { sums: zeros(), peaks: zeros(), peakKeys: zeros() };
    for (const range of this.#ranges) this.#run(await this.#kernels.tile(this.layer, range, heads, shape, out));
    return { sums: await readback.floats(out.sums, 0, cells), peaks: await readback.floats(out.peaks, 0, cells), peakKeys: await readback.words(out.peakKeys, 0, cells) };
  }

  async statistics(document: { fromKey: number; toKey: number }): Promise<Float32Array> {
    const count = this.layer.rows * this.layer.heads * statisticsFloats;
    const statistics = upload(device, new Float32Array(count));
    for (const range of this.#ranges) this.#run(await this.#kernels.rows(this.layer, range, document, statistics));
    return readback.floats(statistics, 0, count);
  }

  #run(encode: (pass: GPUComputePassEncoder) => void): void {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
  }
}

const whole = ({ rows, position }: AttentionProblem): TileShape => ({ firstRow: 0, endRow: rows, rowsPerBucket: 1, fromKey: 0, toKey: position + rows, keysPerBucket: 1 });

function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  return largest;
}

describe('tiles equal the reference', () => {
  const random = seededRandom(11);
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const shapes = Array.from({ length: 14 }, (_, seed): ProblemShape => {
    const kvHeads = between(1, 3);
    // Every size and format is a shader of its own, which takes its time to compile.
    const half = random() < 0.5;
    return {
      kvHeads,
      heads: kvHeads * between(1, 4),
      headDim: half ? 64 : 24,
      rows: between(1, 23),
      position: between(0, 260),
      window: random() < 0.4 ? between(1, 70) : null,
      seed,
      queryScale: random() < 0.3 ? 30 : 1,
      half,
    };
  });

  test.each(shapes)('$heads heads of $headDim over $kvHeads, $rows rows after $position, window $window', async (shape) => {
    const problem = randomProblem(shape);
    const scene = new Scene(problem, between(1, 3), shape.half ?? false, random() < 0.6);
    const logSums = await scene.logSums();
    const expectedSums = rowLogSums(problem);
    expect(worst(logSums, expectedSums)).toBeLessThan(1e-3);

    // Of some heads, which may all belong to one key-value head.
    const some = Array.from({ length: shape.heads }, (_, head) => head).filter(() => random() < 0.4);
    const ofSome = await new Scene(problem, between(1, 3), shape.half ?? false, random() < 0.6).logSums(some);
    const rowsOfSome = (sums: ArrayLike<number>): number[] => Array.from(sums).filter((_, i) => some.includes(i % shape.heads));
    expect(worst(rowsOfSome(ofSome), rowsOfSome(expectedSums))).toBeLessThan(1e-3);

    const document = { fromKey: between(0, 30), toKey: between(30, shape.position + shape.rows) };
    const statistics = await scene.statistics(document);
    for (const [i, row] of rowStatistics(problem, document, { sinkTokens, recentTokens }).entries()) {
      const { sinks, recent, previous, document: inDocument, other, entropy, peak } = row;
      const wanted = [sinks, recent, previous, inDocument, other, entropy / 5, peak];
      const found = [...statistics.subarray(i * statisticsFloats, i * statisticsFloats + 7)];
      found[5] /= 5;
      expect(worst(found, wanted)).toBeLessThan(1e-3);
    }

    const chosen = Array.from({ length: shape.heads }, (_, head) => head).filter((head) => head === 0 || random() < 0.6);
    for (const keysPerBucket of [1, between(2, 16), between(17, 90)]) {
      const rowsPerBucket = between(1, 5);
      const firstRow = between(0, shape.rows - 1);
      const tile: TileShape = { firstRow, endRow: shape.rows, rowsPerBucket, fromKey: between(0, 9), toKey: shape.position + shape.rows, keysPerBucket };
      if (tile.fromKey >= tile.toKey) tile.fromKey = 0;
      const actual = await scene.tile(chosen, tile);
      const expected = attentionTile(problem, chosen, tile);
      expect(worst(actual.sums, expected.sums)).toBeLessThan(1e-3 * rowsPerBucket * chosen.length);
      expect(worst(actual.peaks, expected.peaks)).toBeLessThan(1e-3);
      // Where two weights are alike, either may be the largest.
      for (const [cell, key] of actual.peakKeys.entries()) {
        if (key === expected.peakKeys[cell] || expected.peaks[cell] < 1e-6) continue;
        const alone = attentionTile(problem, chosen, { ...tile, fromKey: key, toKey: key + 1 });
        const columns = columnsOf(tile);
        expect(alone.peaks[Math.floor(cell / columns)]).toBeGreaterThan(expected.peaks[cell] - 1e-3);
      }
    }
  });

  test('the weights of a row over all its keys add up to its heads', async () => {
    const problem = randomProblem({ heads: 6, kvHeads: 2, headDim: 24, rows: 9, position: 300, window: null, seed: 5, queryScale: 3 });
    const scene = new Scene(problem, 2, false);
    await scene.logSums();
    const { sums } = await scene.tile([0, 1, 2, 3, 4, 5], { ...whole(problem), keysPerBucket: 50 });
    const columns = Math.ceil(309 / 50);
    for (let row = 0; row < 9; row++) {
      const total = sums.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(6, 4);
    }
  });

  test('a coarse cell is the sum of its four children, and has the largest of their peaks', async () => {
    const problem = randomProblem({ heads: 4, kvHeads: 2, headDim: 64, rows: 16, position: 240, window: 100, seed: 6 });
    const scene = new Scene(problem, 1, true);
    await scene.logSums();
    const coarse = await scene.tile([1, 2], { ...whole(problem), rowsPerBucket: 4, keysPerBucket: 64 });
    const fine = await scene.tile([1, 2], { ...whole(problem), rowsPerBucket: 2, keysPerBucket: 32 });
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        const children = [0, 1].flatMap((dy) => [0, 1].map((dx) => (2 * y + dy) * 8 + 2 * x + dx));
        expect(coarse.sums[y * 4 + x]).toBeCloseTo(children.reduce((sum, child) => sum + fine.sums[child], 0), 4);
        expect(coarse.peaks[y * 4 + x]).toBeCloseTo(Math.max(...children.map((child) => fine.peaks[child])), 5);
      }
    }
  });
});
