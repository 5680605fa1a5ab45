import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { expand, lookUp, magnitude, multiply, stack, type DenseRows } from '../../reference/matmul.ts';
import { gate, geluTanh, silu } from '../../reference/gated.ts';
import { normaliseRows } from '../../reference/normalise.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { StepUniform } from '../step.ts';
import { type BoundLinear, createLinearKernels, type LinearKernels, type LinearOptions } from './linear.ts';
import type { UnpackedMatrix } from './matrix.ts';
import { type FamilyName, possibleFamilies } from './variants.ts';
import { matrixTiles, matrixVariant } from './matrixTile.ts';
import { type Preferences, rowCandidates, rowVariant, tileCandidates } from './workgroup.ts';
import { type Random, randomNumbers, randomSource, sourceKinds, type SourceKind } from './testing/sources.ts';

let device: Device;
let readback: Readback;
let step: StepUniform;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
  step = new StepUniform(device);
});
afterAll(() => device.destroy());

const noCache = { get: () => undefined, set: () => undefined };

function denseOf(source: UnpackedMatrix): DenseRows {
  return source.kind === 'float' ? source : expand(source.rows);
}

async function run(bound: BoundLinear, rows: number): Promise<void> {
  step.write({ rows, position: 0 });
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  bound.encode(pass, { rows, position: 0 });
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  await device.finished();
}

interface Case {
  kernels: LinearKernels;
  random: Random;
  sources: readonly UnpackedMatrix[];
  maxRows: number;
  accumulate?: boolean;
  inputScale?: number;
  /** Of a row's result, relative to what such numbers add up to; by default that of f32. */
  tolerance?: number;
  /** For the message. */
  what?: string;
}

/** Computes `rows` rows for each of `rowCounts` and compares every number with the reference. */
async function check({ kernels, random, sources, maxRows, accumulate = false, inputScale = 1, tolerance, what = '' }: Case, rowCounts: readonly number[]) {
  const weights = await kernels.upload('test', sources);
  const dense = stack(sources.map(denseOf));
  expect(weights.shape).toEqual({ outputs: dense.rows, inputs: dense.columns });
  const input = Float32Array.from({ length: maxRows * dense.columns }, () => random.normal() * inputScale);
  const before = Float32Array.from({ length: maxRows * dense.rows }, () => random.normal());
  const inputBuffer = upload(device, input);
  const outputBuffer = upload(device, before);
  const bound = await kernels.bind(weights, { input: inputBuffer, output: outputBuffer, step: step.buffer, maxRows, accumulate });
  const exact = multiply(input, maxRows, dense);
  const size = magnitude(input, maxRows, dense);
  for (const rows of rowCounts) {
    device.gpu.queue.writeBuffer(outputBuffer, 0, before);
    await run(bound, rows);
    const output = await readback.floats(outputBuffer, 0, before.length);
    let worst = 0;
    for (let index = 0; index < output.length; index++) {
      const written = index < rows * dense.rows;
      const expected = (written ? exact[index] : 0) + (accumulate || !written ? before[index] : 0);
      // Relative to what a row of such numbers adds up to, so that cancellation is not held against a kernel.
      const error = Math.abs(output[index] - expected) / (size[index] / Math.sqrt(dense.columns) + Math.abs(before[index]) + 1e-30);
      if (!(error <= worst)) worst = error;
    }
    expect(worst, `${what} ${rows} rows of ${dense.rows}×${dense.columns}`).toBeLessThan(tolerance ?? 1e-5 * Math.sqrt(dense.columns));
  }
  weights.free();
  for (const buffer of [inputBuffer, outputBuffer]) device.memory.free(buffer);
}

const families = possibleFamilies(await openTestDevice());

// Compiling is what these tests spend their time on. The last family meets every format here; the others
// meet a few, and more in the stacking test: each kind of unit and of scale record at least once.
const someKinds: SourceKind[] = ['u4/32+ f16', 'f16'];
const kindsFor = (family: FamilyName) => (family === families.at(-1) ? sourceKinds : someKinds);

describe.each(families)('matrix products: %s', (family) => {
  let kernels: LinearKernels;
  beforeAll(async () => {
    kernels = await createLinearKernels(device, noCache, { family });
  });

  it.each(kindsFor(family))('%s: random shapes with tails', async (kind) => {
    for (const seed of [1, 2, 3]) {
      const random = randomNumbers(seed);
      const inputs = 32 * random.between(1, 9);
      const source = randomSource(random, kind, random.between(1, 150), inputs);
      const maxRows = random.between(9, 40);
      await check({ kernels, random, sources: [source], maxRows }, [1, 2, 7, random.between(9, maxRows)]);
    }
  });

  it.each(['f32', 'u4/16 f32'] as SourceKind[])('%s: inputs that are no multiple of 32', async (kind) => {
    const random = randomNumbers(4);
    const inputs = kind.startsWith('u') ? 48 : 53;
    await check({ kernels, random, sources: [randomSource(random, kind, 37, inputs)], maxRows: 18 }, [1, 18]);
  });

  it('stacks formats, accumulates and splits at a tiny binding limit', async () => {
    const small = await createLinearKernels(device, noCache, { family, bindingLimitBytes: 40_000 });
    const random = randomNumbers(5);
    const sources = (['u8/32 f16', 'u8/32 f16', 'u4/32 f32', 'u8/16 f32'] as SourceKind[]).map((kind, index) =>
      randomSource(random, kind, 61 + 70 * index, 160),
    );
    for (const accumulate of [false, true]) await check({ kernels: small, random, sources, maxRows: 21, accumulate }, [1, 5, 21]);
  });

  it('holds its accuracy for large values', async () => {
    const random = randomNumbers(6);
    for (const kind of ['u4/32 f16', 'u8/32 f16'] as SourceKind[]) {
      await check({ kernels, random, sources: [randomSource(random, kind, 70, 576)], maxRows: 17, inputScale: 1e6 }, [1, 17]);
    }
  });

  it('adds up rows that are longer than a kernel takes at once', async () => {
    const random = randomNumbers(9);
    const sources = [randomSource(random, 'u4/32+ f16', 45, 32 * 53)];
    for (const accumulate of [false, true]) await check({ kernels, random, sources, maxRows: 19, accumulate }, [1, 19]);
  });

  it('looks embeddings up in split weights', async () => {
    const small = await createLinearKernels(device, noCache, { family, bindingLimitBytes: 40_000 });
    const random = randomNumbers(7);
    for (const kind of kindsFor(family)) {
      const source = randomSource(random, kind, 300, 96);
      const weights = await small.upload('embedding', [source]);
      const tokens = Uint32Array.from({ length: 9 }, () => random.between(0, 299));
      const output = device.memory.storage('activations', 'output', tokens.length * 96 * 4);
      const tokenBuffer = upload(device, tokens);
      const bound = await small.bindEmbedding(weights, { tokens: tokenBuffer, output, step: step.buffer, scale: 1.5 });
      await run(bound, 8);
      const found = await readback.floats(output, 0, tokens.length * 96);
      const expected = lookUp(tokens, 1.5, denseOf(source));
      for (let index = 0; index < found.length; index++) {
        if (index < 8 * 96) expect(Math.abs(found[index] - expected[index])).toBeLessThan(1e-5 * (1 + Math.abs(expected[index])));
        else expect(found[index]).toBe(0);
      }
      weights.free();
    }
  });
});

/** Kernels that a GPU chooses from. Large tiles compile for half a minute on the processor, so small ones stand for them there. */
function rivalsOf({ facts }: Device) {
  const small = facts.matrixShapes.flatMap((shape) =>
    ([2, 1] as const).map((blocks) => ({ shape, subgroups: { rows: 2, columns: 2 }, fragments: { rows: 2, columns: 2 }, blocks })),
  );
  const tiles = facts.kind === 'gpu' ? [...matrixTiles(device), ...small] : small;
  return [...rowCandidates(device).slice(1), ...tiles.map((tile) => matrixVariant(device, tile, 9))];
}
/** Halves round inputs and weights to 11 bits; where sums are halves too, each fragment of the inputs rounds once more. */
const halfTolerance = (name: string): number => (name.endsWith('into f16') ? 2e-2 : 5e-3);
/** Blocks of 16 and of 32, scales in f16 and f32, every width of codes. */
const rivalKinds: SourceKind[] = ['u4/32+ f16', 'u8/16 f32', 'f16', 'f32'];

it('measured rivals multiply random shapes with tails, of large values too', async () => {
  for (const [index, variant] of rivalsOf(device).entries()) {
    const half = variant.halvesOfRows !== undefined;
    const preferences: Preferences = { row: () => (half ? undefined : variant), tile: () => (half ? variant : undefined), fuses: false };
    const kernels = await createLinearKernels(device, noCache, { preferences });
    const rowCounts = half ? [9, 31, 70] : [1];
    // Each kind is another kernel, and the processor takes a second to compile it.
    const kinds = device.facts.kind === 'gpu' || half ? rivalKinds : [rivalKinds[index % rivalKinds.length]];
    for (const [seed, kind] of kinds.entries()) {
      const random = randomNumbers(20 + seed);
      const sources = [randomSource(random, kind, random.between(1, 150), 32 * random.between(1, 9))];
      const inputScale = seed % 2 === 0 ? 1 : 1e6;
      const one = { kernels, random, sources, maxRows: rowCounts[rowCounts.length - 1], accumulate: seed === 1, inputScale };
      await check({ ...one, tolerance: half ? halfTolerance(variant.name) : undefined, what: variant.name }, rowCounts);
    }
  }
});

it.each([
  { norm: true, activation: null },
  { norm: true, activation: 'silu' },
  { norm: false, activation: 'gelu-tanh' },
] as const)('a row with its norm ($norm) and gate ($activation) in one kernel', async ({ norm, activation }) => {
  const shapes = rowCandidates(device);
  const severalPairs = rowVariant(device, { lanes: 4, slices: 32, columns: 4 }, 1, 1);
  const subgroups = possibleFamilies(device).filter((family) => family.startsWith('subgroup'));
  // Of the shapes for GPUs a plain one, one with pairs of columns and one with several pairs and slices in a subgroup.
  const cases: { kind: SourceKind; options: LinearOptions }[] = [
    { kind: 'u4/32+ f16', options: { preferences: { row: () => shapes[0], tile: () => undefined, fuses: true } } },
    { kind: 'u8/16 f32', options: { preferences: { row: () => shapes[3], tile: () => undefined, fuses: true } } },
    { kind: 'f16', options: { preferences: { row: () => severalPairs, tile: () => undefined, fuses: true } } },
    ...subgroups.flatMap((family) => (['u4/32+ f16', 'u8/16 f32'] as const).map((kind) => ({ kind, options: { family } }))).filter(() => !norm),
  ];
  for (const [index, { kind, options }] of cases.entries()) {
    const kernels = await createLinearKernels(device, noCache, options);
    const random = randomNumbers(40 + index);
    const inputs = 32 * random.between(1, 9);
    const width = random.between(1, 90);
    const sources = [randomSource(random, kind, width, inputs), randomSource(random, kind, width, inputs)];
    const weights = await kernels.upload('fused', sources);
    const dense = stack(sources.map(denseOf));
    const source = Float32Array.from({ length: inputs }, () => 3 * random.normal());
    const gain = Float32Array.from({ length: inputs }, () => 1 + random.normal());
    const outputs = activation ? width : 2 * width;
    const [sourceBuffer, gainBuffer] = [upload(device, source), upload(device, gain)];
    const input = device.memory.storage('activations', 'unused', 4 * inputs * inputs);
    const output = device.memory.storage('activations', 'result', 4 * 2 * width);
    const gated = device.memory.storage('activations', 'gated', 4 * width);
    const bound = await kernels.bind(weights, {
      input: norm ? input : sourceBuffer,
      output,
      step: step.buffer,
      maxRows: 4,
      ...(norm ? { norm: { source: sourceBuffer, gain: gainBuffer, epsilon: 1e-5 } } : {}),
      ...(activation ? { gate: { activation, output: gated } } : {}),
    });
    expect(bound.includes?.({ rows: 1, position: 0 })).toEqual({ norm, gate: activation !== null });
    expect(bound.includes?.({ rows: 2, position: 0 })).toEqual({ norm: false, gate: false });
    await run(bound, 1);
    const found = await readback.floats(activation ? gated : output, 0, outputs);
    const product = Float32Array.from(multiply(norm ? normaliseRows(source, gain, 1e-5) : source, 1, dense));
    const expected = activation ? gate(product, width, activation === 'silu' ? silu : geluTanh) : product;
    const scale = Math.max(...expected.map(Math.abs));
    for (let i = 0; i < outputs; i++) expect(Math.abs(found[i] - expected[i]), `${kind}, output ${i}`).toBeLessThan(1e-4 * scale);
    weights.free();
  }
});

it('has kernels for subgroup matrices where the adapter does', () => {
  const { matrixShapes } = device.facts;
  const found = tileCandidates(device).some(({ halvesOfRows }) => halvesOfRows);
  expect(found).toBe(matrixShapes.length > 0);
  if (!found) console.log('matmul_matrix_tile is not tested here: this adapter has no subgroup matrices.');
});

it('remembers the measured choice', async () => {
  const stored = new Map<string, string>();
  const cache = { get: (key: string) => stored.get(key), set: (key: string, value: string) => void stored.set(key, value) };
  const first = (await createLinearKernels(device, cache)).describe();
  // That there is no team is not believed at once (engine/layers/team).
  const kept = (): [string, string][] => [...stored].filter(([key]) => !key.startsWith('team of '));
  const before = kept();
  const second = (await createLinearKernels(device, cache)).describe();
  expect(kept()).toEqual(before);
  expect({ ...second, weights: undefined, team: undefined }).toEqual({ ...first, weights: undefined, team: undefined });
  if (before.length > 0) expect(second['weights']).toBe(first['weights']?.replace(/\)$/, ', remembered)'));
});

it('counts and frees the memory of weights', async () => {
  const before = device.memory.report();
  const kernels = await createLinearKernels(device, noCache);
  const weights = await kernels.upload('counted', [randomSource(randomNumbers(8), 'u4/32 f16', 64, 576)]);
  expect(device.memory.report().stagingBytes).toBeGreaterThan(before.stagingBytes);
  await kernels.finishUploads();
  expect(device.memory.report().weightsBytes - before.weightsBytes).toBe(weights.sizeBytes);
  weights.free();
  expect(device.memory.report()).toEqual(before);
});
