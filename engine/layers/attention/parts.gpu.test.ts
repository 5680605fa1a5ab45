import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { decodeRecord, encodeRecord, type FarFormat, recordWords } from '../../kv/tiers/record.ts';
import { attendRange, type AttentionProblem, mergePartials, type Partial } from '../../reference/attention.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { type Step, StepUniform } from '../step.ts';
import { allocatePartials, bindMerge } from './merge.ts';
import { partKeys } from './partial.ts';
import { bindParts, type BoundParts, type CommonBuffers, type PartKeys, type PartsOptions } from './parts.ts';
import { type SplitShape, splitVariants } from './split.ts';
import { largestDifference, randomFloats, randomNumbers } from './testing.ts';
import type { AttentionVariant } from './variants.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

type Kind = PartKeys['source']['kind'];

interface Shape {
  heads: number;
  kvHeads: number;
  headDim: number;
  kinds: readonly [Kind, FarFormat][];
  /** Of the kernel of each part; left out, the one that is taken. */
  shapes?: readonly Pick<SplitShape, 'spread' | 'keys'>[];
}

/** Keys that a head sees, and how often each counts. */
type Seen = (kvHead: number) => { token: number; weight: number }[];

/** One part on the device and in the reference. */
interface Part {
  stored: PartKeys;
  count: number;
  splits: number;
  problem: AttentionProblem;
  seen: Seen;
}

const repeated = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const submit = (encode: (pass: GPUComputePassEncoder) => void): void => {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
};

/** Splits, keys, lists and weights of chance; now and then none at all. */
function randomCase({ heads, kvHeads, headDim, kinds }: Shape, seed: number, queryScale: number) {
  const random = randomNumbers(977 * seed + headDim);
  const below = (count: number): number => Math.floor(((random() + 1) / 2) * count);
  const ringTokens = 1 + below(90);
  const step: Step = { rows: 1, position: 300 + below(100), sealed: 0 };
  step.sealed = step.position + 1 - ringTokens;
  const queries = randomFloats(heads * headDim, seed, queryScale);
  const parts = kinds.map(([kind, format], index): Part => {
    const near = kind === 'ring';
    const tokens = near ? step.position + 1 : 1 + below(220);
    const [keys, values] = repeated(2, (half) => randomFloats(tokens * kvHeads * headDim, 7 * seed + 2 * index + half));
    const splits = kinds.length > 1 && below(4) === 0 ? 0 : 1 + below(9);
    const capacitySlots = near ? ringTokens + below(9) : tokens;
    const words = recordWords(format, headDim);
    // As the kernels see it: [kvHead][slot], in the part's format.
    const pack = (source: Float32Array): GPUBuffer => {
      const packed = new Uint32Array(kvHeads * capacitySlots * words);
      for (let token = near ? step.sealed! : 0; token < tokens; token++) {
        for (let head = 0; head < kvHeads; head++) {
          const base = (token * kvHeads + head) * headDim;
          const slot = (head * capacitySlots + (token % capacitySlots)) * words;
          encodeRecord(format, source.subarray(base, base + headDim), packed, slot);
          source.set(decodeRecord(format, packed, slot, headDim), base);
        }
      }
      return upload(device, packed);
    };
    const problem: AttentionProblem = { queries, keys, values, heads, kvHeads, headDim, rows: 1, position: step.position, window: null };
    const common = { keys: pack(keys), values: pack(values), capacitySlots };
    const all = (begin: number, end: number): Seen => () => repeated(end - begin, (i) => ({ token: begin + i, weight: 1 }));
    const count = below(5) === 0 ? 0 : 1 + below(tokens);
    if (kind === 'ring') return { stored: { source: { kind, format: 'f16' }, ...common }, count: 0, splits, problem, seen: all(step.sealed!, tokens) };
    if (kind === 'range') return { stored: { source: { kind, format }, ...common }, count, splits, problem, seen: all(0, count) };
    if (kind === 'list') {
      const listCapacity = tokens + 3;
      const none = below(5) === 0;
      const lists = repeated(kvHeads, () => (none ? [] : repeated(tokens, (token) => token).filter(() => random() > 0.2)));
      const list = new Uint32Array(kvHeads * listCapacity);
      lists.forEach((chosen, head) => list.set(chosen, head * listCapacity));
      const counts = upload(device, Uint32Array.from(lists, ({ length }) => length));
      return { stored: { source: { kind, format, list: upload(device, list), counts, listCapacity }, ...common }, count: 0, splits, problem, seen: (head) => lists[head].map((token) => ({ token, weight: 1 })) };
    }
    const none = below(4) === 0;
    const weights = Uint32Array.from({ length: kvHeads * tokens }, () => (none ? 0 : Math.max(0, below(40) - 15)));
    const seen: Seen = (head) => repeated(count, (token) => ({ token, weight: weights[head * tokens + token] })).filter(({ weight }) => weight > 0);
    return { stored: { source: { kind, format, weights: upload(device, weights) }, ...common }, count, splits, problem, seen };
  });
  return { queries, step, parts };
}

type Case = ReturnType<typeof randomCase>;

function expected({ heads, kvHeads, headDim }: Shape, parts: readonly Part[], repeatedPart: number): Float32Array {
  const out = new Float32Array(heads * headDim);
  for (let head = 0; head < heads; head++) {
    const found = parts.flatMap(({ problem, seen, splits }, index): Partial[] => {
      if (splits === 0) return [];
      return seen(Math.floor((head * kvHeads) / heads)).map(({ token, weight }) => {
        const { output, logSumExp } = attendRange(problem, 0, head, token, token + 1);
        return { output, logSumExp: logSumExp + Math.log(weight * (index === repeatedPart ? 2 : 1)) };
      });
    });
    if (found.length > 0) out.set(mergePartials(found).output, head * headDim);
  }
  return out;
}

interface Result {
  partials: Float32Array;
  logSumExps: Float32Array;
  output: Float32Array;
}

/** All parts, one of them once more, which adds to what its splits hold. */
async function run(shape: Shape, { queries, step, parts }: Case, options: PartsOptions, repeatedPart: number): Promise<Result> {
  const { heads, kvHeads, headDim } = shape;
  const splits = parts.map((part) => part.splits);
  const total = splits.reduce((sum, count) => sum + count);
  const partials = allocatePartials(device, Math.max(1, total), heads, headDim);
  const output = device.memory.storage('activations', 'output', 4 * heads * headDim);
  const uniform = new StepUniform(device);
  uniform.write(step);
  const io: CommonBuffers = { queries: upload(device, queries), heads, kvHeads, headDim, partials, step: uniform.buffer };
  const bound = await bindParts(device, parts.map(({ stored }) => stored), io, options);
  const merge = await bindMerge(device, { partials, output, headDim });
  const write = (index: number, continued: boolean): void => bound.write(index, { keys: parts[index].count, firstSplit: splits.slice(0, index).reduce((sum, count) => sum + count, 0), continued });
  for (const index of parts.keys()) write(index, false);
  submit((pass) => bound.encode(pass, step, splits));
  if (repeatedPart >= 0) {
    write(repeatedPart, true);
    submit((pass) => bound.encode(pass, step, splits.map((count, index) => (index === repeatedPart ? count : 0))));
  }
  if (total > 0) submit((pass) => merge.encode(pass, total, heads));
  const readback = new Readback(device);
  return {
    partials: await readback.floats(partials.outputs, 0, total * heads * headDim),
    logSumExps: await readback.floats(partials.logSumExps, 0, total * heads),
    output: await readback.floats(output, 0, heads * headDim),
  };
}

/** Queries and partials, then keys and values, and what says which of them count. */
const storageBuffers = ({ kinds }: Shape): number => kinds.reduce((sum, [kind]) => sum + { list: 4, weighed: 3, ring: 2, range: 2 }[kind], 3);

/** A kernel for each part that attends beside the others; null where the adapter has none, or binds too few buffers, which is said. */
function kernelsOf(shape: Shape, parts: readonly Part[]): AttentionVariant[] | null {
  const { maxStorageBuffersPerShaderStage: most } = device.facts.limits;
  const variants = parts.flatMap(({ stored }, index) => {
    const among = shape.shapes?.[index] && [{ ...shape.shapes[index], threads: 64, heads: 4, workgroups: 512 }];
    return splitVariants(device, partKeys(stored.source, { ...shape, ...stored }), among).slice(0, 1);
  });
  if (variants.length === parts.length && storageBuffers(shape) <= most) return variants;
  console.log(`left out: ${device.facts.name} has ${variants.length} of ${parts.length} kernels and binds ${most} storage buffers where one dispatch needs ${storageBuffers(shape)}`);
  return null;
}

/** A processor compiles each shape of kernels for seconds; data of chance costs little. */
describe.each<Shape>([
  { heads: 8, kvHeads: 2, headDim: 64, kinds: [['ring', 'f16'], ['list', 'f16'], ['weighed', 'q8']] },
  { heads: 4, kvHeads: 1, headDim: 128, kinds: [['weighed', 'q8'], ['weighed', 'f16'], ['ring', 'f16']], shapes: [{ spread: 4, keys: 2 }, { spread: 8, keys: 4 }, { spread: 8, keys: 4 }] },
  { heads: 9, kvHeads: 1, headDim: 64, kinds: [['ring', 'f16'], ['weighed', 'q8'], ['weighed', 'q8']], shapes: [{ spread: 8, keys: 2 }, { spread: 4, keys: 1 }, { spread: 8, keys: 1 }] },
  { heads: 2, kvHeads: 2, headDim: 80, kinds: [['range', 'q8'], ['list', 'q8']], shapes: [{ spread: 8, keys: 2 }, { spread: 4, keys: 4 }] },
  { heads: 4, kvHeads: 2, headDim: 256, kinds: [['list', 'f16'], ['weighed', 'q8']], shapes: [{ spread: 8, keys: 1 }, { spread: 8, keys: 2 }] },
  { heads: 7, kvHeads: 1, headDim: 128, kinds: [['ring', 'f16']], shapes: [{ spread: 8, keys: 2 }] },
])('$heads heads over $kvHeads of $headDim, $kinds', (shape) => {
  test.each(repeated(12, (seed) => ({ seed, queryScale: [1, 1, 4, 40][seed % 4] })))('chance $seed, queries up to $queryScale', async ({ seed, queryScale }) => {
    const one = randomCase(shape, seed, queryScale);
    const repeatedPart = seed % 3 === 0 ? seed % one.parts.length : -1;
    const truth = expected(shape, one.parts, repeatedPart);
    const variants = kernelsOf(shape, one.parts);
    if (!variants) {
      await expect(run(shape, one, { together: true }, repeatedPart)).rejects.toThrow(RangeError);
      expect(largestDifference((await run(shape, one, {}, repeatedPart)).output, truth)).toBeLessThan(1e-4 * queryScale);
      return;
    }
    // With keys of 8 bits a query has 16: three standard deviations of what a score loses, a step being 2^-15 of the largest.
    const tolerance = 1e-4 + (shape.kinds.some(([, format]) => format === 'q8') ? Math.sqrt(shape.headDim) * 2 ** -16 : 0);
    const together = await run(shape, one, { variants, together: true }, repeatedPart);
    expect(largestDifference(together.output, truth)).toBeLessThan(1e-4 * queryScale);
    // By the same kernels, and by those that are taken on this adapter; both leave the same in each split.
    for (const inTurn of [{ variants, together: false }, {}]) {
      const others = await run(shape, one, inTurn, repeatedPart);
      for (const name of ['partials', 'output'] as const) expect(largestDifference(together[name], others[name])).toBeLessThan(1e-4 * queryScale);
      const relative = (from: Float32Array): Float32Array => from.map((one) => (one < -1e29 ? -1 : one) / queryScale);
      expect(largestDifference(relative(together.logSumExps), relative(others.logSumExps))).toBeLessThan(tolerance);
    }
  });
});

describe('how parts are encoded', () => {
  const shape: Shape = { heads: 8, kvHeads: 2, headDim: 64, kinds: [['ring', 'f16'], ['list', 'f16'], ['weighed', 'q8']] };
  const oneRow = { rows: 1, position: 300, sealed: 290 };

  async function bind(on: Device, options: PartsOptions = {}): Promise<BoundParts> {
    const { queries, parts } = randomCase(shape, 1, 1);
    const io: CommonBuffers = { ...shape, queries: upload(device, queries), partials: allocatePartials(device, 32, shape.heads, shape.headDim), step: new StepUniform(device).buffer };
    return bindParts(on, parts.map(({ stored }) => stored), io, options);
  }

  /** Workgroups of each dispatch. */
  function dispatches(bound: BoundParts, splits: number[], step: Step = oneRow): number[][] {
    const sizes: number[][] = [];
    const pass = { setPipeline: () => undefined, setBindGroup: () => undefined, dispatchWorkgroups: (...size: number[]) => void sizes.push(size) };
    bound.encode(pass as unknown as GPUComputePassEncoder, step, splits);
    return sizes;
  }

  /** The same adapter, were it like this. */
  const like = (facts: { kind?: 'gpu'; storageBuffers?: number }): Device =>
    Object.create(device, {
      facts: { value: { ...device.facts, kind: facts.kind ?? device.facts.kind, limits: { ...device.facts.limits, maxStorageBuffersPerShaderStage: facts.storageBuffers ?? 12 } } },
    }) as Device;

  const split = (): AttentionVariant[] | null => kernelsOf(shape, randomCase(shape, 1, 1).parts);

  test('together: one dispatch, and none without splits', async () => {
    if (!split()) return;
    const bound = await bind(device, { together: true });
    expect(dispatches(bound, [2, 5, 3])).toEqual([[1, 2, 10]]);
    expect(dispatches(bound, [0, 5, 0])).toEqual([[1, 2, 5]]);
    expect(dispatches(bound, [0, 0, 0])).toEqual([]);
  });

  test('in turn: one of each part that has splits', async () => {
    const bound = await bind(device, { together: false });
    expect(dispatches(bound, [2, 0, 3]).map(([, , splits]) => splits)).toEqual([2, 3]);
  });

  test('together by itself only on a GPU with such kernels, and with bindings for twelve storage buffers', async () => {
    const count = async (on: Device, options: PartsOptions = {}): Promise<number> => dispatches(await bind(on, options), [1, 1, 1]).length;
    const variants = split();
    if (variants) {
      expect(await count(like({ kind: 'gpu' }), { variants })).toBe(1);
      expect(await count(like({ kind: 'gpu', storageBuffers: 11 }), { variants })).toBe(3);
      if (device.facts.kind === 'software') expect(await count(device, { variants })).toBe(3);
    }
    // Without a place to remember what is fastest, the plain kernels are taken.
    expect(await count(like({ kind: 'gpu' }))).toBe(3);
    await expect(bind(like({ storageBuffers: 11 }), { together: true })).rejects.toThrow(RangeError);
  });

  test('kernels of different sizes do not go together', async () => {
    const variants = split();
    if (!variants) return;
    const [one, ...others] = variants;
    const larger = { ...one, body: { ...one.body!, constants: { ...one.body!.constants, THREADS: 256 } } };
    await expect(bind(device, { together: true, variants: [larger, ...others] })).rejects.toThrow(RangeError);
  });

  test('other numbers of rows, splits and parts are refused', async () => {
    const bound = await bind(device, { together: false });
    expect(() => dispatches(bound, [1, 1, 1], { ...oneRow, rows: 2 })).toThrow(RangeError);
    expect(() => dispatches(bound, [1, 1])).toThrow(RangeError);
    await expect(bindParts(device, [], {} as CommonBuffers)).rejects.toThrow(RangeError);
  });
});
