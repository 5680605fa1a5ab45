import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { randomNumbers } from '../layers/attention/testing.ts';
import { combinedLogWeights, type ScoreTable, selectHeaviest, withFollowers } from '../reference/retrieval/select.ts';
import { openTestDevice, upload } from '../testing/device.ts';
import { runPass } from './clusterTesting.ts';
import { bindSelect, type Follow, Selection, SelectScratch, selectScratchBytes, SelectUniform, type SelectVariant } from './select.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

interface Result {
  /** By key-value head. */
  tokens: number[][];
  /** [head][stride], with the log-weights in each group's first row. */
  scores: Float32Array;
}

/** Selects from a table; with a list, from the entries that it names. */
async function select(table: ScoreTable, wanted: number, { list, variant, follow }: { list?: number[][]; variant?: Partial<SelectVariant>; follow?: Follow } = {}): Promise<Result> {
  const { kvHeads, stride, entries } = table;
  const scratch = new SelectScratch(device, table);
  const uniform = new SelectUniform(device, table);
  const selection = new Selection(device, table, { maxSelected: wanted + 3, label: 'test' });
  const scores = upload(device, table.scores);
  const named = list && new Selection(device, table, { maxSelected: stride, label: 'list' });
  const { queue } = device.gpu;
  if (named && list) {
    for (const [kvHead, tokens] of list.entries()) queue.writeBuffer(named.tokens, kvHead * stride * 4, Uint32Array.from(tokens));
    queue.writeBuffer(named.counts, 0, Uint32Array.from(list, (tokens) => tokens.length));
  }
  // What was there before must not matter, and no place behind the list may be written.
  queue.writeBuffer(selection.tokens, 0, new Uint32Array(kvHeads * selection.maxSelected).fill(7));
  const { coarse, fine, ...others } = scratch.buffers;
  for (const buffer of Object.values(others)) queue.writeBuffer(buffer, 0, new Uint8Array(buffer.size).fill(99));
  const bound = await bindSelect(device, { ...table, scores, uniform, scratch, selection, list: named, variant });
  uniform.write({ entries, wanted, follow });
  // Another selection before it, from scores that are then replaced.
  runPass(device, (pass) => bound.encode(pass, { entries, wanted, follow }));
  queue.writeBuffer(scores, 0, table.scores as Float32Array<ArrayBuffer>);
  queue.writeBuffer(selection.tokens, 0, new Uint32Array(kvHeads * selection.maxSelected).fill(7));
  runPass(device, (pass) => bound.encode(pass, { entries, wanted, follow }));
  const readback = new Readback(device);
  const counts = await readback.words(selection.counts, 0, kvHeads);
  const all = await readback.words(selection.tokens, 0, kvHeads * selection.maxSelected);
  const tokens = [...counts].map((count, kvHead) => [...all.subarray(kvHead * selection.maxSelected).subarray(0, count)]);
  for (const [kvHead, count] of counts.entries()) {
    expect(count).toBeLessThanOrEqual(wanted);
    expect([...all.subarray(kvHead * selection.maxSelected + count, (kvHead + 1) * selection.maxSelected)].every((word) => word === 7)).toBe(true);
  }
  const after = await readback.floats(scores, 0, table.scores.length);
  for (const histogram of [coarse, fine]) expect((await readback.words(histogram, 0, histogram.size / 4)).every((count) => count === 0)).toBe(true);
  readback.free();
  for (const part of [scratch, uniform, selection, named]) part?.free();
  device.memory.free(scores);
  return { tokens, scores: after };
}

interface Shape {
  heads: number;
  kvHeads: number;
  entries: number;
  wanted: number;
  seed: number;
  kind: 'mild' | 'sharp' | 'huge' | 'coarse' | 'one head decides';
  sinks?: number;
}

function tableOf({ heads, kvHeads, entries, seed, kind, sinks = 0 }: Shape): ScoreTable {
  const next = randomNumbers(seed);
  for (let i = 0; i < 8; i++) next();
  const normal = (): number => Math.sqrt(-2 * Math.log((next() + 1) / 2 + 1e-9)) * Math.cos(Math.PI * next());
  const stride = entries + 5;
  const scores = new Float32Array(heads * stride).fill(3e4);
  for (let head = 0; head < heads; head++) {
    for (let entry = 0; entry < entries; entry++) {
      const x = normal();
      const score = { mild: x, sharp: 12 * x, huge: 1e4 * next(), coarse: Math.round(2 * x), 'one head decides': head % 2 === 0 ? 30 * x : 0.01 * x }[kind];
      scores[head * stride + entry] = entry < sinks ? -1e30 : score;
    }
  }
  return { scores, heads, kvHeads, stride, entries };
}

/**
 * The selection's weights are those of the reference's, up to the keys' resolution and the rounding of
 * log-weights in f32.
 */
function checkAgainstReference(table: ScoreTable, wanted: number, result: Result, what: string): void {
  const group = table.heads / table.kvHeads;
  for (let kvHead = 0; kvHead < table.kvHeads; kvHead++) {
    const logWeights = combinedLogWeights(table, kvHead);
    const expected = selectHeaviest(logWeights, wanted);
    const tokens = result.tokens[kvHead];
    const row = result.scores.subarray(kvHead * group * table.stride);
    const used = table.scores.filter((score, i) => score > -1e29 && i % table.stride < table.entries);
    const largestScore = used.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
    let largest = 0;
    for (let entry = 0; entry < table.entries; entry++) {
      const bound = 2e-6 * (10 + Math.abs(logWeights[entry]) + largestScore);
      if (logWeights[entry] === -Infinity) expect(row[entry], what).toBe(Math.fround(-1e30));
      else largest = Math.max(largest, Math.abs(row[entry] - logWeights[entry]) / bound);
    }
    expect(largest, `${what}: error of log-weights ÷ its bound`).toBeLessThan(1);
    expect(tokens.length, what).toBe(expected.length);
    expect(tokens.every((token, i) => i === 0 || tokens[i - 1] < token), `${what}: ascending`).toBe(true);
    const lightest = expected.reduce((least, token) => Math.min(least, logWeights[token]), Infinity);
    const tolerance = (Math.log(group) - lightest) * 2 ** -16 + 4e-6 * (10 + Math.abs(lightest) + largestScore);
    for (const token of tokens) expect(logWeights[token], `${what}: token ${token}`).toBeGreaterThanOrEqual(lightest - tolerance);
    const chosen = new Set(tokens);
    for (const token of expected) if (!chosen.has(token)) expect(logWeights[token], `${what}: missed ${token}`).toBeLessThanOrEqual(lightest + tolerance);
  }
}

const shapes: [heads: number, kvHeads: number][] = [
  [4, 1],
  [9, 3],
  [2, 2],
  [20, 2],
  [7, 1],
];

/** Adapters differ in what pays. */
const variants: Partial<SelectVariant>[] = [
  { invocations: 128, writtenAtOnce: 1, subgroups: false },
  { invocations: 512, writtenAtOnce: 4, subgroups: true },
  { invocations: 64, writtenAtOnce: 3, mostSplits: 256, leastEntriesPerInvocation: 1, subgroups: true },
  { invocations: 32, writtenAtOnce: 8, mostSplits: 3, subgroups: false },
  {},
];

describe('select', () => {
  test.each(['mild', 'sharp', 'huge', 'coarse', 'one head decides'] as const)('%s scores: the reference’s choice', async (kind) => {
    let seed = 1;
    for (const [heads, kvHeads] of shapes) {
      for (const [entries, wanted] of [[3000, 60], [700, 699], [130, 1]]) {
        const shape: Shape = { heads, kvHeads, entries, wanted, kind, seed: seed++, sinks: 16 };
        const table = tableOf(shape);
        const variant = variants[seed % variants.length];
        checkAgainstReference(table, wanted, await select(table, wanted, { variant }), JSON.stringify({ ...shape, variant }));
      }
    }
  });

  test('many entries, in several splits', async () => {
    const shape: Shape = { heads: 2, kvHeads: 1, entries: 140_000, wanted: 2800, kind: 'sharp', seed: 4 };
    const table = tableOf(shape);
    for (const invocations of [128, 256]) checkAgainstReference(table, shape.wanted, await select(table, shape.wanted, { variant: { invocations } }), `many, ${invocations} at once`);
  });

  test('as many entries as wanted, or fewer: all but the excluded', async () => {
    for (const [entries, wanted] of [[100, 500], [516, 500], [17, 1], [16, 4], [0, 4], [5, 0]]) {
      const table = tableOf({ heads: 6, kvHeads: 2, entries, wanted, kind: 'mild', seed: 5, sinks: 16 });
      const expected = Array.from({ length: Math.max(0, entries - 16) }, (_, i) => i + 16);
      expect((await select(table, wanted)).tokens, `${entries} of which ${wanted}`).toEqual([expected, expected]);
    }
  });

  test('none wanted', async () => {
    const table = tableOf({ heads: 2, kvHeads: 1, entries: 1000, wanted: 0, kind: 'mild', seed: 6 });
    expect((await select(table, 0)).tokens).toEqual([[]]);
  });

  test('identical scores: the first entries', async () => {
    for (const value of [0, -3.25, 1e4, -1e4]) {
      const table = tableOf({ heads: 4, kvHeads: 2, entries: 5000, wanted: 333, kind: 'mild', seed: 7, sinks: 16 });
      for (let head = 0; head < 4; head++) table.scores.fill(value, head * table.stride + 16, head * table.stride + table.entries);
      const expected = Array.from({ length: 333 }, (_, i) => i + 16);
      expect((await select(table, 333)).tokens, String(value)).toEqual([expected, expected]);
    }
  });

  test('heavier entries first, then the first of the equal ones', async () => {
    const table = tableOf({ heads: 1, kvHeads: 1, entries: 4000, wanted: 100, kind: 'mild', seed: 8 });
    table.scores.fill(1, 0, 4000);
    const heavy = [3999, 17, 2048];
    for (const entry of heavy) table.scores[entry] = 1.01;
    for (let entry = 0; entry < 50; entry++) if (entry !== 17) table.scores[entry] = 0.99;
    const expected = [17, ...Array.from({ length: 97 }, (_, i) => 50 + i), 2048, 3999];
    expect((await select(table, 100)).tokens).toEqual([expected]);
  });

  test('entries of a list, of another length for each head', async () => {
    const table = tableOf({ heads: 6, kvHeads: 3, entries: 900, wanted: 40, kind: 'sharp', seed: 9 });
    const lengths = [900, 25, 0];
    const list = lengths.map((length, kvHead) => Array.from({ length }, (_, i) => 1000 * kvHead + 3 * i + 1));
    const { tokens } = await select(table, 40, { list });
    for (const [kvHead, length] of lengths.entries()) {
      const logWeights = combinedLogWeights({ ...table, entries: length }, kvHead);
      expect(tokens[kvHead]).toEqual(selectHeaviest(logWeights, 40).map((entry) => list[kvHead][entry]));
    }
  });

  test.each([
    { heads: 4, kvHeads: 2, entries: 6000, wanted: 200, followers: 6, share: 0.004, kind: 'sharp', seed: 21 },
    { heads: 9, kvHeads: 3, entries: 900, wanted: 60, followers: 1, share: 0.02, kind: 'sharp', seed: 22 },
    { heads: 3, kvHeads: 1, entries: 2500, wanted: 2400, followers: 16, share: 0.001, kind: 'sharp', seed: 23 },
    { heads: 2, kvHeads: 2, entries: 700, wanted: 12, followers: 40, share: 0.05, kind: 'one head decides', seed: 24 },
    { heads: 2, kvHeads: 1, entries: 500, wanted: 30, followers: 8, share: 0.9, kind: 'mild', seed: 25 },
  ] as const)('$followers entries follow those of more than $share', async ({ followers, share, ...shape }) => {
    const table = tableOf({ ...shape, sinks: 16 });
    const { kvHeads, entries, wanted } = shape;
    for (const isListed of [false, true]) {
      // With gaps, so that the entry before is not always near.
      const positions = Array.from({ length: entries }, (_, entry) => (isListed ? entry + Math.floor(entry / 7) * (shape.seed % 5) : entry));
      const { tokens } = await select(table, wanted, { follow: { followers, share }, ...(isListed ? { list: Array.from({ length: kvHeads }, () => positions) } : {}) });
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const raised = withFollowers(combinedLogWeights(table, kvHead), { followers, share }, positions);
        expect(tokens[kvHead]).toEqual(selectHeaviest(raised, wanted).map((entry) => positions[entry]));
      }
    }
  });

  test('the same entries every time', async () => {
    const table = tableOf({ heads: 8, kvHeads: 2, entries: 9000, wanted: 500, kind: 'coarse', seed: 10 });
    const first = await select(table, 500);
    for (let i = 0; i < 3; i++) expect((await select(table, 500)).tokens).toEqual(first.tokens);
  });

  test('a shape that does not fit is refused', async () => {
    const table = tableOf({ heads: 2, kvHeads: 1, entries: 100, wanted: 5, kind: 'mild', seed: 11 });
    const scratch = new SelectScratch(device, table);
    const uniform = new SelectUniform(device, table);
    const selection = new Selection(device, table, { maxSelected: 8, label: 'test' });
    const scores = upload(device, table.scores);
    const bound = await bindSelect(device, { ...table, scores, uniform, scratch, selection });
    expect(() => runPass(device, (pass) => bound.encode(pass, { entries: 100, wanted: 9 }))).toThrow('9 tokens are wanted where 8 fit');
    expect(() => runPass(device, (pass) => bound.encode(pass, { entries: 106, wanted: 5 }))).toThrow('106 entries are more than the 105');
    await expect(bindSelect(device, { ...table, heads: 3, kvHeads: 2, scores, uniform, scratch, selection })).rejects.toThrow('3 heads cannot share 2');
  });

  test('scratch takes the bytes that it says', () => {
    const before = device.memory.report().activationsBytes;
    const scratch = new SelectScratch(device, { heads: 32, kvHeads: 8 });
    expect(device.memory.report().activationsBytes - before).toBe(selectScratchBytes({ heads: 32, kvHeads: 8 }));
    scratch.free();
  });
});
