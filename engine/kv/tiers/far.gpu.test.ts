import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Device } from '../../device/device.ts';
import { Readback } from '../../device/readback.ts';
import { memorySource } from '../../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { loadModel, type LoadedModel } from '../../model.ts';
import { WorkerThreads } from '../../../host/gpu-worker/workerThreads.ts';
import { measuredChoices, openTestDevice } from '../../testing/device.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import { firstSteps } from './misses.ts';
import { FarTrace } from './farTrace.ts';
import { memoryBlocks } from './testing/memoryBlocks.ts';
import type { Policy } from './policy.ts';

const contextTokens = 1024;
const gpuBudgetBytes = 800_000;
const tokenCount = 900;
/** f32 keys and values of the window, a block of rows and a segment of slack, which sliding layers keep beside the budget. */
const slidingLayerBytes = 2 * 2 * 64 * 4 * (48 + 128 + 128);
const everything: Policy = { name: 'sketch', budget: { share: 1 }, estimate: true };

const pool = new WorkerThreads(2);
let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(async () => {
  device.destroy();
  await pool.close();
});

describe.each([
  { architecture: 'llama', format: 'f16' },
  { architecture: 'gemma3', format: 'q8' },
] as const)('$architecture with $format beyond the GPU', ({ architecture, format }) => {
  const random = seededRandom(11);
  const tokens = Array.from({ length: tokenCount }, () => Math.floor(random() * 256));
  const bytes = tinyModel({ architecture, contextTokens, layers: 2 });
  let plain: LoadedModel;
  let tiered: LoadedModel;
  let kvBytesBefore = 0;
  const logits = (model: LoadedModel): Promise<Float32Array> => readback.floats(model.runner.logits, 0, model.spec.vocabularySize);
  /** The logits after one more token, read in a step of its own, so that it follows the policy. */
  const next = async (model: LoadedModel, stream: number[]): Promise<Float32Array> => {
    await model.sequence.extend(stream, { chunkTokens: 64 });
    await model.sequence.extend([...stream, 7], { asDecoding: true });
    return logits(model);
  };
  /** 8-bit storage moves logits whose deviation is near 4; how far is bounded by what it rounds. */
  const tolerance = format === 'f16' ? 0.02 : 0.3;

  beforeAll(async () => {
    const common = { kvBudgetBytes: 1 << 30, choices: measuredChoices };
    plain = await loadModel(device, memorySource(bytes), { ...common, contextTokens });
    const { disk } = memoryBlocks();
    kvBytesBefore = device.memory.report().kvBytes;
    // A little of it in RAM, so that RAM, the block cache and the disk all serve reads.
    const slidingBytes = architecture === 'gemma3' ? slidingLayerBytes : 0;
    device.memory.limit('kv', kvBytesBefore + gpuBudgetBytes + slidingBytes);
    tiered = await loadModel(device, memorySource(bytes), {
      ...common,
      contextTokens,
      tiers: { gpuBudgetBytes, ramBudgetBytes: 100_000, format, disk, offload: 'always', largestShare: 1, pages: true, graphs: { pool, unindexedKeys: 256 } },
    });
  });
  afterAll(() => {
    device.memory.limit('kv', null);
    plain.free();
    tiered.free();
  });

  test.each<[string, Policy]>([
    ['full', { name: 'full', budget: { share: 1 }, estimate: false }],
    ['sketch with an unlimited budget', everything],
    ['quest with an unlimited budget', { name: 'quest', budget: { share: 1 }, estimate: false }],
    ['clusters with an unlimited budget', { name: 'clusters', budget: { share: 1 }, estimate: true }],
    ['flat with an unlimited budget', { name: 'flat', budget: { share: 1 }, estimate: true }],
    ['graph with an unlimited budget', { name: 'graph', budget: { share: 1 }, estimate: false }],
  ])('%s gives the logits of a cache on the GPU', async (_, policy) => {
    tiered.runner.far!.policy = policy;
    expect(largest(await next(tiered, tokens), await next(plain, tokens))).toBeLessThan(tolerance);
    expect(tiered.runner.far!.sealed).toBeGreaterThan(700);
    await tiered.runner.far!.store.settled();
    expect(tiered.runner.far!.store.bytes.diskBytes).toBeGreaterThan(0);
  });

  test('a small budget counts every key once', async () => {
    const { far } = tiered.runner;
    far!.policy = { name: 'sketch', budget: { tokens: 20 }, estimate: true };
    far!.report.reset();
    await next(tiered, tokens);
    const { farKeys, exactKeys, estimatedKeys, droppedKeys } = far!.report.total;
    expect(exactKeys).toBeGreaterThan(0);
    expect(exactKeys).toBeLessThanOrEqual(20 * far!.report.layerSteps * far!.plan.layout.kvHeads);
    expect(exactKeys + estimatedKeys).toBe(farKeys);
    expect(droppedKeys).toBe(0);
  });

  test('a trace tells of every layer and head of every step what the report sums up', async () => {
    const { far } = tiered.runner;
    far!.policy = { name: 'sketch', budget: { tokens: 20 }, estimate: true };
    await tiered.sequence.extend(tokens, { chunkTokens: 64 });
    far!.report.reset();
    const trace = new FarTrace(far!, readback, 2);
    const more = [...tokens];
    for (let step = 0; step < 4; step++) {
      more.push(step);
      await tiered.sequence.extend(more, { asDecoding: true });
    }
    trace.close();
    const traced = trace.take();
    expect(traced.map(({ step, layer }) => [step, layer])).toEqual([0, 1, 2, 3].flatMap((step) => far!.layers.map((_, layer) => [step, layer])));
    const sum = (of: (one: (typeof traced)[number]) => number): number => traced.reduce((total, one) => total + of(one), 0);
    for (const key of ['farKeys', 'exactKeys', 'hitKeys', 'fetchedKeys', 'ramReadBytes', 'diskReadBytes'] as const) expect(sum(({ report }) => report[key])).toBe(far!.report.total[key]);
    expect(sum(({ heads }) => heads.reduce((total, { hits }) => total + hits, 0))).toBe(far!.report.total.hitKeys);
    const { fetchedKeys, ramReadBytes, diskReadBytes } = far!.report.total;
    expect(ramReadBytes + diskReadBytes).toBeGreaterThanOrEqual(8 * far!.words * fetchedKeys - 8 * far!.words * far!.plan.layout.kvHeads);
    for (const { step, share, heads } of traced) {
      expect(share === null).toBe(step % 2 === 1);
      expect(heads.map(({ chosen }) => chosen)).toEqual(Array.from({ length: far!.plan.layout.kvHeads }, () => 20));
      if (!share) continue;
      expect(share.headMass).toHaveLength(far!.plan.layout.heads);
      for (const mass of [share.mass, ...share.headMass, ...share.headRecall]) expect(mass).toBeGreaterThan(0);
      for (const mass of [share.mass, ...share.headMass, ...share.headRecall]) expect(mass).toBeLessThan(1 + 1e-6);
    }
  });

  test('graph walks its graphs and counts every key once, the rest dropped or estimated', async () => {
    const { far } = tiered.runner;
    const { index } = far!.graphs!;
    far!.policy = { name: 'graph', budget: { tokens: 8 }, estimate: false };
    far!.report.reset();
    Object.assign(index.report, { scoredKeys: 0, allKeys: 0 });
    const dropping = await next(tiered, tokens);
    const { farKeys, exactKeys, estimatedKeys, droppedKeys } = far!.report.total;
    const group = far!.plan.layout.heads / far!.plan.layout.kvHeads;
    const perHead = far!.report.layerSteps * far!.plan.layout.kvHeads;
    expect(exactKeys).toBeGreaterThanOrEqual(8 * perHead);
    expect(exactKeys).toBeLessThanOrEqual(8 * group * perHead);
    expect(exactKeys + droppedKeys).toBe(farKeys);
    expect(estimatedKeys).toBe(0);
    expect(index.indexedKeys).toBeGreaterThan(256);
    expect(index.report.scoredKeys).toBeLessThan(0.7 * index.report.allKeys);
    far!.policy = { ...far!.policy, estimate: true };
    far!.report.reset();
    const estimating = await next(tiered, tokens);
    expect(far!.report.total.droppedKeys).toBe(0);
    const truth = await next(plain, tokens);
    expect(largest(estimating, truth)).toBeLessThan(largest(dropping, truth));
  });

  test('what is missed joins the estimate, is counted, and is there when the same step comes again', async () => {
    const { far } = tiered.runner;
    // The first steps behind what was read wait for what they want; the one after them may miss something.
    const later = async (model: LoadedModel, stream: number[]): Promise<Float32Array> => {
      await next(model, stream);
      const longer = [...stream, 7];
      for (let step = 1; step <= firstSteps; step++) {
        far!.report.reset();
        longer.push(step);
        await model.sequence.extend(longer, { asDecoding: true });
      }
      return logits(model);
    };
    // All that nine steps want fits into the slots.
    const strict: Policy = { name: 'sketch', budget: { tokens: 8 }, estimate: true };
    far!.policy = { ...strict, misses: 'lagged' };
    // Where steps wait, nothing is brought along for later ones.
    vi.spyOn(far!.misses, 'follow', 'get').mockReturnValue(null);
    // Other tokens than those of the tests before, so that hardly any is there.
    const other = tokens.map((token) => 255 - token);
    const missed: number[] = [];
    let lagged: Float32Array = new Float32Array();
    // A layer's queries depend on what the layers before attended to, so each time one more of them misses nothing.
    for (let round = 0; round < 4; round++) {
      lagged = await later(tiered, other);
      await far!.settleLagged();
      const { farKeys, exactKeys, estimatedKeys, missedKeys, droppedKeys } = far!.report.total;
      expect(exactKeys + estimatedKeys + missedKeys).toBe(farKeys);
      expect(farKeys).toBeGreaterThan(0);
      expect(droppedKeys).toBe(0);
      missed.push(missedKeys);
    }
    expect(missed[0]).toBeGreaterThan(0);
    expect(missed[3]).toBe(0);
    far!.policy = strict;
    expect(largest(lagged, await later(tiered, other))).toBe(0);
    expect(far!.report.total.fetchedKeys).toBe(0);
    vi.restoreAllMocks();
  });

  test('going back before what is sealed gives the logits of a fresh reading', async () => {
    tiered.runner.far!.policy = everything;
    await next(tiered, tokens);
    const other = [...tokens.slice(0, 300), 1, 2, 3];
    const back = await next(tiered, other);
    expect(largest(back, await next(plain, other))).toBeLessThan(tolerance);
  });

  test('accounted memory stayed within the budget', () => {
    // The ledger's limit held through everything above; here is that it counted.
    const { kvBytes } = device.memory.report();
    expect(kvBytes - kvBytesBefore).toBeGreaterThan(gpuBudgetBytes / 2);
    expect(tiered.runner.far!.plan.bytes.total).toBeLessThanOrEqual(gpuBudgetBytes);
  });
});

test('a budget that cannot hold the index is refused with both numbers', async () => {
  const loading = loadModel(device, memorySource(tinyModel({ architecture: 'llama', contextTokens, layers: 2 })), {
    contextTokens,
    kvBudgetBytes: 1 << 30,
    choices: measuredChoices,
    tiers: { gpuBudgetBytes: 100_000, ramBudgetBytes: 1 << 20, format: 'f16', disk: null, offload: 'always' },
  });
  await expect(loading).rejects.toMatchObject({
    code: 'kv-budget-too-small',
    message: expect.stringMatching(/^1024 tokens of Tiny llama need at least \d{6} bytes of GPU memory for keys, values and their index, but the budget is 100000\.$/),
  });
});

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return Number.isFinite(worst) ? worst : Infinity;
}
