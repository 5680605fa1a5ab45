import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { attend } from '../../reference/attention.ts';
import { gate, geluTanh, silu } from '../../reference/gated.ts';
import { type DenseRows, expand, multiply, stack } from '../../reference/matmul.ts';
import { normaliseRows } from '../../reference/normalise.ts';
import { rotate } from '../../reference/rotate.ts';
import { openTestDevice, upload } from '../../testing/device.ts';
import { fillCache, largestDifference, randomFloats, runStep } from '../attention/testing.ts';
import { createLinearKernels } from '../linear/linear.ts';
import { randomNumbers, randomSource, type SourceKind } from '../linear/testing/sources.ts';
import { type FamilyName, possibleFamilies } from '../linear/variants.ts';
import { StepUniform } from '../step.ts';
import { chooseTeam } from './choice.ts';
import { bindTeamLayer, type TeamLayer, workOfLayer } from './layer.ts';
import { createTeam, freeTeam } from './team.ts';

let device: Device;
let families: FamilyName[];
beforeAll(async () => {
  device = await openTestDevice();
  families = device.facts.runsWorkgroupsAtOnce && possibleFamilies(device).includes('subgroup texture') ? ['subgroup texture'] : [];
});
afterAll(() => device.destroy());

interface Shape {
  kind: SourceKind;
  hiddenSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  width: number;
  rotatedDims: number;
  pairing: TeamLayer['pairing'];
  window: number | null;
  capacitySlots: number;
  position: number;
  activation: TeamLayer['activation'];
  /** Of the hidden row; norms take it out again. */
  scale: number;
  /** Large ones make one-hot softmaxes. */
  queryScale: number;
}

/** The layer's result on the GPU and by the reference. */
async function compute(shape: Shape, family: FamilyName, { members, patience, columns }: { members: number; patience?: number; columns?: number }): Promise<{ actual: Float32Array; expected: Float32Array; late: number }> {
  const { kind, hiddenSize, heads, kvHeads, headDim, width, rotatedDims, pairing, window, capacitySlots, position, activation, queryScale } = shape;
  const random = randomNumbers(position + hiddenSize);
  const kernels = await createLinearKernels(device, new Map(), { family, teamMembers: 0 });
  const matrix = async (inputs: number, ...outputs: number[]) => {
    const sources = outputs.map((rows) => randomSource(random, kind, rows, inputs));
    const dense: DenseRows = stack(sources.map((source) => (source.kind === 'float' ? source : expand(source.rows))));
    return { dense, weights: await kernels.upload('test', sources) };
  };
  const queryKeyValue = await matrix(hiddenSize, heads * headDim, kvHeads * headDim, kvHeads * headDim);
  const mixerOutput = await matrix(heads * headDim, hiddenSize);
  const gateUp = await matrix(hiddenSize, width, width);
  const down = await matrix(width, hiddenSize);
  const row = randomFloats(hiddenSize, 1, shape.scale);
  const [attentionGain, feedGain] = [randomFloats(hiddenSize, 2), randomFloats(hiddenSize, 3)];
  const angles = Float32Array.from(randomFloats(rotatedDims / 2, 4, 3)).reduce<number[]>((all, angle) => [...all, Math.cos(angle), Math.sin(angle)], []);
  const [oldKeys, oldValues] = [5, 6].map((seed) => randomFloats((position + 1) * kvHeads * headDim, seed));

  const n = normaliseRows(row, attentionGain, 1e-5);
  const projections = Float32Array.from(multiply(n, 1, queryKeyValue.dense));
  const vectors = Array.from({ length: heads + 2 * kvHeads }, (_, v) => projections.slice(v * headDim, (v + 1) * headDim));
  const turned = vectors.map((vector, v) => (v < heads + kvHeads ? rotate(vector, Float32Array.from(angles), pairing, rotatedDims) : vector));
  const flat = (some: Float32Array[]): Float32Array => Float32Array.from(some.flatMap((one) => [...one]));
  const [keys, values] = [oldKeys.slice(), oldValues.slice()];
  keys.set(flat(turned.slice(heads, heads + kvHeads)), position * kvHeads * headDim);
  values.set(flat(turned.slice(heads + kvHeads)), position * kvHeads * headDim);
  // One row at its position: the reference counts rows from there.
  const queries = flat(turned.slice(0, heads)).map((x) => x * queryScale);
  const mixed = attend({ queries, keys, values, heads, kvHeads, headDim, rows: 1, position, window });
  const middle = multiply(mixed, 1, mixerOutput.dense).map((x, i) => x + row[i]);
  const gated = gate(Float32Array.from(multiply(normaliseRows(Float32Array.from(middle), feedGain, 1e-5), 1, gateUp.dense)), width, activation === 'silu' ? silu : geluTanh);
  const expected = Float32Array.from(multiply(gated, 1, down.dense).map((x, i) => x + middle[i]));

  const layout = { format: 'f32', kvHeads, headDim, capacitySlots } as const;
  const caches = [oldKeys, oldValues].map((tokens) => {
    const buffer = device.memory.storage('kv', 'cache', kvHeads * capacitySlots * headDim * 4);
    fillCache(device, buffer, layout, tokens, Math.max(0, position - capacitySlots + 1), position);
    return buffer;
  });
  const uniform = new StepUniform(device);
  const team = createTeam(device, members, workOfLayer(members, { hiddenSize, heads, width, layout }), patience);
  const hidden = upload(device, row);
  const bound = await bindTeamLayer(device, team, {
    hiddenSize, heads, width, layout, window, pairing, rotatedDims, queryScale, activation, epsilon: 1e-5, hidden, step: uniform.buffer,
    queryKeyValue: queryKeyValue.weights, mixerOutput: mixerOutput.weights, gateUp: gateUp.weights, down: down.weights,
    attentionGain: upload(device, attentionGain), feedGain: upload(device, feedGain), angles: upload(device, Float32Array.from(angles)),
    keys: caches[0], values: caches[1],
  }, columns);
  if (!bound) throw new Error('this layer has no kernel');
  const actual = await runStep(device, bound, uniform, { rows: 1, position }, hidden, hiddenSize);
  const [arrivals, departures, , late] = await new Readback(device).words(team.meeting, 0, 4);
  expect([arrivals, departures]).toEqual([0, 0]);
  freeTeam(device, team);
  for (const { weights } of [queryKeyValue, mixerOutput, gateUp, down]) weights.free();
  return { actual, expected, late };
}

const plain: Shape = {
  kind: 'u4/32+ f16', hiddenSize: 96, heads: 6, kvHeads: 2, headDim: 64, width: 160, rotatedDims: 64, pairing: 'adjacent',
  window: null, capacitySlots: 64, position: 37, activation: 'silu', scale: 3, queryScale: 0.125,
};

test.each<[string, Partial<Shape>, number?]>([
  ['as SmolLM2', {}, 8],
  ['the first token', { position: 0 }, 8],
  ['a window in a ring that has gone round, part of the head rotated', { window: 20, capacitySlots: 29, position: 75, rotatedDims: 32, pairing: 'halves' }],
  ['other weights, heads and gates, large scores', { kind: 'u8/16 f32', heads: 5, kvHeads: 1, headDim: 32, rotatedDims: 32, width: 96, hiddenSize: 64, activation: 'gelu-tanh', queryScale: 40 }],
  ['heads of their own, a large row', { kind: 'u4/32 f16', hiddenSize: 128, heads: 2, kvHeads: 2, scale: 1e4 }],
])('%s', async (_, change, columns = 1) => {
  const shape = { ...plain, ...change };
  for (const family of families) {
    for (const members of [1, 2]) {
      const { actual, expected, late } = await compute(shape, family, { members, columns });
      expect(late).toBe(0);
      const size = Math.max(...expected.map(Math.abs));
      expect(largestDifference(actual, expected), `${family}, ${members} members`).toBeLessThan(2e-5 * size);
    }
  }
});

test('members that do not run at once are counted', async () => {
  for (const family of families) {
    // More than any processor runs at once; after the first that is late nobody waits.
    const { late } = await compute(plain, family, { members: 2000, patience: 100, columns: 8 });
    expect(late).toBeGreaterThan(0);
  }
});

const chosenFor = (name: (typeof families)[number]) => ({ name, layout: { tileColumns: 64, texture: null }, variantsFor: () => [], describe: () => ({}) });

test('the choice is remembered, whatever it is, though none only after three starts', async () => {
  for (const family of families) {
    const choices = new Map<string, string>();
    const kernels = await createLinearKernels(device, choices, { family });
    expect([...choices.keys()]).toEqual([`team of ${family}`]);
    expect(kernels.describe()['team']).toMatch(/^(no|\d+) members \(apart \d/);
    for (let start = 2; start <= 3; start++) await chooseTeam(device, choices, chosenFor(family));
    const known = Number(choices.get(`team of ${family}`)?.split('|')[0]);
    expect(await chooseTeam(device, choices, chosenFor(family))).toEqual({ members: known, why: expect.stringContaining('remembered') });
  }
});

test('that no team was found is measured again at the next start, twice', async () => {
  for (const family of families) {
    const after = async (starts: number) => {
      const choices = new Map([[`team of ${family}`, `0|2 members do not run at once|${starts}`]]);
      const { why } = await chooseTeam(device, choices, chosenFor(family));
      return { remembered: why.endsWith('remembered'), starts: choices.get(`team of ${family}`)?.split('|')[2] };
    };
    expect(await after(2)).toEqual({ remembered: false, starts: '3' });
    expect(await after(3)).toEqual({ remembered: true, starts: '3' });
  }
});
