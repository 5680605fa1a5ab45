import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { decodeRecord, encodeRecord, type FarFormat, recordWords } from '../../kv/tiers/record.ts';
import { attendRange, mergePartials, type AttentionProblem, type Partial } from '../../reference/attention.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { StepUniform } from '../step.ts';
import { blocksVariant } from './blocks.ts';
import { allocatePartials, bindMerge } from './merge.ts';
import { flashVariants } from './matrixFlash.ts';
import { bindPart, type PartBuffers, partKeys, type PartSource } from './partial.ts';
import { splitVariants } from './split.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';
import { fillCache, largestDifference, randomNumbers, randomProblem } from './testing.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

interface Shape {
  heads: number;
  kvHeads: number;
  headDim: number;
  rows: number;
  /** Keys before this one are stored, the others in the ring. */
  sealed: number;
  position: number;
  format: FarFormat;
  queryScale?: number;
}

/**
 * Four ways to hold the same keys: the ring, a streamed range (in several windows, one after the other), a list of
 * slots (what retrieval found), and slots that weigh as much as several keys.
 */
describe.each<Shape>([
  { heads: 4, kvHeads: 2, headDim: 64, rows: 1, sealed: 130, position: 200, format: 'f16' },
  { heads: 9, kvHeads: 3, headDim: 64, rows: 1, sealed: 64, position: 64, format: 'q8' },
  { heads: 9, kvHeads: 3, headDim: 64, rows: 37, sealed: 200, position: 213, format: 'f16', queryScale: 8 },
  { heads: 4, kvHeads: 1, headDim: 256, rows: 5, sealed: 70, position: 70, format: 'q8' },
  { heads: 32, kvHeads: 8, headDim: 64, rows: 70, sealed: 190, position: 200, format: 'f16', queryScale: 3 },
  { heads: 2, kvHeads: 2, headDim: 80, rows: 3, sealed: 1, position: 9, format: 'f16' },
  { heads: 8, kvHeads: 2, headDim: 128, rows: 1, sealed: 600, position: 601, format: 'f16', queryScale: 30 },
])('$heads heads over $kvHeads of $headDim, $rows rows at $position, $sealed sealed, $format', (shape) => {
  const { heads, kvHeads, headDim, rows, sealed, position, format } = shape;
  const vectors = rows * heads;
  let problem: AttentionProblem;
  /** The stored keys and values, as kernels see them. */
  let far: AttentionProblem;
  let stored: { keys: Uint32Array; values: Uint32Array };

  beforeAll(() => {
    problem = randomProblem({ ...shape, window: null, seed: sealed + headDim });
    const words = recordWords(format, headDim);
    const pack = (source: Float32Array): Uint32Array => {
      const packed = new Uint32Array(kvHeads * sealed * words);
      for (let head = 0; head < kvHeads; head++) {
        for (let token = 0; token < sealed; token++) {
          const base = (token * kvHeads + head) * headDim;
          encodeRecord(format, source.subarray(base, base + headDim), packed, (head * sealed + token) * words);
          source.set(decodeRecord(format, packed, (head * sealed + token) * words, headDim), base);
        }
      }
      return packed;
    };
    far = { ...problem, keys: problem.keys.slice(), values: problem.values.slice() };
    stored = { keys: pack(far.keys), values: pack(far.values) };
  });

  function expected(weight: (token: number, kvHead: number) => number): Float32Array {
    const out = new Float32Array(vectors * headDim);
    for (let row = 0; row < rows; row++) {
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor((head * kvHeads) / heads);
        const parts: Partial[] = [attendRange(problem, row, head, sealed, position + row + 1)];
        for (let token = 0, end = 0; token < sealed; token = end) {
          const shared = weight(token, kvHead);
          for (end = token + 1; end < sealed && weight(end, kvHead) === shared; ) end++;
          if (shared === 0) continue;
          const part = attendRange(far, row, head, token, end);
          parts.push({ output: part.output, logSumExp: part.logSumExp + Math.log(shared) });
        }
        out.set(mergePartials(parts).output, (row * heads + head) * headDim);
      }
    }
    return out;
  }

  type Pick = (keys: KeysRead) => AttentionVariant | undefined;

  async function run(source: 'range' | 'list' | 'weighed', far: { pick?: Pick; many?: boolean; windows?: number[]; list?: Uint32Array; counts?: Uint32Array; listCapacity?: number; weights?: Uint32Array }): Promise<Float32Array> {
    const layout = { format: 'f32' as const, kvHeads, headDim, capacitySlots: position - sealed + rows + 7 };
    const ring = ['keys', 'values'].map((label) => device.memory.storage('kv', label, kvHeads * layout.capacitySlots * headDim * 4));
    fillCache(device, ring[0], layout, problem.keys, sealed, position + rows);
    fillCache(device, ring[1], layout, problem.values, sealed, position + rows);
    const queries = upload(device, problem.queries);
    const step = new StepUniform(device);
    const splits = rows === 1 ? 3 : 1;
    const partials = allocatePartials(device, 2 * splits, vectors, headDim);
    const output = device.memory.storage('activations', 'output', vectors * headDim * 4);
    const common = { queries, heads, kvHeads, headDim, partials, step: step.buffer };
    const bind = (source: PartSource, io: PartBuffers) => bindPart(device, source, io, { many: far.many, variant: far.pick?.(partKeys(source, io)) });
    const near = await bind({ kind: 'ring', format: 'f32' }, { ...common, keys: ring[0], values: ring[1], capacitySlots: layout.capacitySlots });
    const [storedKeys, storedValues] = [upload(device, stored.keys), upload(device, stored.values)];
    const merge = await bindMerge(device, { partials, output, headDim });
    const now = { rows, position, sealed };
    step.write(now);
    near.write({ keys: 0, firstSplit: 0, continued: false });
    const submit = (encode: (pass: GPUComputePassEncoder) => void): void => {
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encode(pass);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
    };
    submit((pass) => near.encode(pass, now, splits));
    if (source === 'range') {
      // As while reading: windows of the far part pass through one buffer, and each adds to the same splits.
      const words = recordWords(format, headDim);
      let first = 0;
      for (const [index, tokens] of (far.windows ?? []).entries()) {
        const slice = (all: Uint32Array): GPUBuffer => {
          const window = new Uint32Array(kvHeads * tokens * words);
          for (let head = 0; head < kvHeads; head++) window.set(all.subarray((head * sealed + first) * words, (head * sealed + first + tokens) * words), head * tokens * words);
          return upload(device, window);
        };
        const part = await bind({ kind: 'range', format }, { ...common, keys: slice(stored.keys), values: slice(stored.values), capacitySlots: tokens });
        part.write({ keys: tokens, firstSplit: splits, continued: index > 0 });
        submit((pass) => part.encode(pass, now, splits));
        first += tokens;
      }
    } else {
      const kind = source === 'list' ? ({ kind: 'list', list: upload(device, far.list!), counts: upload(device, far.counts!), listCapacity: far.listCapacity! } as const) : ({ kind: 'weighed', weights: upload(device, far.weights!) } as const);
      const part = await bind({ ...kind, format }, { ...common, keys: storedKeys, values: storedValues, capacitySlots: sealed });
      part.write({ keys: sealed, firstSplit: splits, continued: false });
      submit((pass) => part.encode(pass, now, splits));
    }
    submit((pass) => merge.encode(pass, 2 * splits, vectors));
    return new Readback(device).floats(output, 0, vectors * headDim);
  }

  // What GPUs take for few queries; the processor compiles it for seconds.
  const picks: (Pick | undefined)[] = rows === 1 || headDim === 80 ? [undefined, (keys) => splitVariants(device, keys)[0]] : [undefined];

  const ranges: { kernel: string; many?: boolean; pick?: Pick }[] = [
    { kernel: 'the one for few queries' },
    { kernel: 'the one for many', many: true },
    { kernel: 'blocks in workgroup memory', pick: (keys) => blocksVariant(device, keys) ?? undefined },
  ];

  test.each(ranges)('a streamed range in uneven windows: $kernel', async ({ many, pick }) => {
    const random = randomNumbers(sealed);
    const windows: number[] = [];
    for (let left = sealed; left > 0; left -= windows.at(-1)!) windows.push(Math.min(left, 1 + Math.floor(Math.abs(random()) * 90)));
    expect(largestDifference(await run('range', { windows, many, pick }), expected(() => 1))).toBeLessThan(1e-4);
  });

  // Queries and keys are rounded to 11 bits, which errs the more the larger scores are.
  const halvesTolerance = 4e-3 * Math.max(1, shape.queryScale ?? 1);

  test('a streamed range by fragments of matrices, where the adapter has them', async () => {
    const windows = [sealed - Math.floor(sealed / 3), Math.floor(sealed / 3)].filter((tokens) => tokens > 0);
    const pick: Pick = (keys) => flashVariants(device, keys)[0];
    if (device.facts.matrixShapes.length === 0) console.log('attention_matrix is not tested here: this adapter has no subgroup matrices.');
    expect(largestDifference(await run('range', { windows, pick }), expected(() => 1))).toBeLessThan(device.facts.matrixShapes.length === 0 ? 1e-4 : halvesTolerance);
  });

  test.each(picks)('a list of slots, another for each head', async (pick) => {
    const random = randomNumbers(sealed + 1);
    const listCapacity = sealed + 3;
    const chosen = Array.from({ length: kvHeads }, (_, head) => Array.from({ length: sealed }, (_, token) => token).filter(() => head < kvHeads - 1 && random() > 0.3));
    const list = new Uint32Array(kvHeads * listCapacity);
    chosen.forEach((tokens, head) => list.set(tokens, head * listCapacity));
    const actual = await run('list', { pick, list, counts: Uint32Array.from(chosen, ({ length }) => length), listCapacity });
    const sets = chosen.map((tokens) => new Set(tokens));
    expect(largestDifference(actual, expected((token, kvHead) => (sets[kvHead].has(token) ? 1 : 0)))).toBeLessThan(1e-4);
  });

  test.each(picks)('slots that stand for several keys or for none', async (pick) => {
    const random = randomNumbers(sealed + 2);
    const perToken = Array.from({ length: sealed }, () => Math.max(0, Math.floor(random() * 20)));
    const weights = new Uint32Array(kvHeads * sealed);
    for (let head = 0; head < kvHeads; head++) weights.set(perToken, head * sealed);
    expect(largestDifference(await run('weighed', { pick, weights }), expected((token) => perToken[token]))).toBeLessThan(1e-4);
    // A remainder that is empty everywhere adds nothing.
    expect(largestDifference(await run('weighed', { pick, weights: new Uint32Array(kvHeads * sealed) }), expected(() => 0))).toBeLessThan(1e-4);
  });
});
