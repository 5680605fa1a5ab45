/**
 * No kernel writes beside its buffers: models of random shapes, and model files whose tables of metadata and tensors
 * were changed at random, go through a forward pass (reading in chunks, deciding, answering; keys and values on the GPU
 * or beyond it) with a guard behind every buffer. A file that cannot be right is refused by a named error.
 *
 * LONGLEAF_SHAPES=200 (and LONGLEAF_SHAPE_SEED) hunts longer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineError } from './errors.ts';
import { readGguf } from './formats/gguf/readGguf.ts';
import { memorySource } from './formats/gguf/testing/memorySource.ts';
import { writeGguf } from './formats/gguf/testing/writeGguf.ts';
import { seededRandom } from './formats/quantisation/testing/seededRandom.ts';
import { generateTokens } from './generate.ts';
import type { Policy } from './kv/tiers/policy.ts';
import type { ChoiceCache } from './layers/linear/choice.ts';
import { loadModel } from './model.ts';
import { Sampler } from './sampling/sampler.ts';
import { greedySettings } from './sampling/settings.ts';
import { familyNames, openFamily } from './testing/familyGoldens.ts';
import { type GuardedDevice, openGuardedDevice } from './testing/guardedDevice.ts';
import { rawTinyModel, tinyModel } from './testing/tinyModel.ts';

const shapes = Number(process.env.LONGLEAF_SHAPES ?? 6);
const firstSeed = Number(process.env.LONGLEAF_SHAPE_SEED ?? 1);
const weightTypes = ['Q4_0', 'Q4_1', 'Q8_0', 'F16', 'F32'] as const;
const policies = ['full', 'window', 'sketch', 'clusters', 'quest', 'flat'] as const;

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)] as T;

/** Sizes that are no multiples of what kernels like, as far as the formats allow. */
function randomModel(random: Random): Uint8Array {
  const kvHeads = 1 + below(random, 3);
  return tinyModel({
    architecture: oneOf(random, ['llama', 'gemma3', 'qwen35', 'lfm2']),
    seed: below(random, 1000),
    layers: 1 + below(random, 3),
    hiddenSize: 32 * (1 + below(random, 6)),
    kvHeads,
    heads: kvHeads * (1 + below(random, 4)),
    headDim: oneOf(random, [32, 64, 96, 128]),
    width: 32 * (1 + below(random, 8)),
    contextTokens: 200 + below(random, 500),
    windowTokens: 1 + below(random, 90),
    types: Array.from({ length: 1 + below(random, 5) }, () => oneOf(random, weightTypes)),
  });
}

const awkwardNumbers = [0, 1, 2, 3, 7, 16, 33, 48, 127, 256, 65_536, 2 ** 31];
/** Small, large, not a number: what an honest file does not hold. */
const awkwardBytes = [0, 0x7f, 0xff, 0x7c, 0x80];

/** Some numbers of the metadata, the dimensions of some tensors, or their values, are others. */
function changed(bytes: Uint8Array, random: Random): Uint8Array {
  const raw = rawTinyModel(bytes);
  const metadata = { ...raw.metadata };
  const tensors = raw.tensors.map((tensor) => ({ ...tensor }));
  const keys = Object.keys(metadata).filter((key) => metadata[key]?.type === 'uint32' && !key.startsWith('tokenizer'));
  const change = below(random, 6);
  const tensor = oneOf(random, tensors);
  if (change <= 1) metadata[oneOf(random, keys)] = { type: 'uint32', value: oneOf(random, awkwardNumbers) };
  // As many values, in another shape.
  else if (change === 2) tensor.dims = [...tensor.dims].reverse();
  else tensor.bytes = awkward(tensor.bytes, random);
  return writeGguf({ metadata, tensors });
}

function awkward(bytes: Uint8Array, random: Random): Uint8Array {
  const share = oneOf(random, [0.01, 0.5, 1]);
  return bytes.map((byte) => (random() < share ? oneOf(random, awkwardBytes) : byte));
}

/** A tiny model of any family, some of whose values no honest file has: routers of experts and states see them, too. */
async function awkwardFamily(random: Random): Promise<ReturnType<typeof memorySource>> {
  const source = openFamily(oneOf(random, familyNames));
  const bytes = await source.read(0, source.sizeBytes);
  for (const { offsetBytes, sizeBytes } of (await readGguf(source)).tensors.values()) {
    if (random() < 0.2) bytes.set(awkward(bytes.subarray(offsetBytes, offsetBytes + sizeBytes), random), offsetBytes);
  }
  return memorySource(bytes, source.name);
}

/** Loads the model and uses it; the code of its error where it is refused. */
async function use({ device, strayWrites }: GuardedDevice, choices: ChoiceCache, source: ReturnType<typeof memorySource>, random: Random): Promise<string> {
  const isFar = random() < 0.4;
  const tiers = { gpuBudgetBytes: 4_000_000, ramBudgetBytes: 1 << 24, format: oneOf(random, ['f16', 'q8'] as const), disk: null, offload: 'always' as const, largestShare: 0.5, pages: true };
  let outcome = 'used';
  const toFree: { free(): void }[] = [];
  try {
    const model = await loadModel(device, source, { contextTokens: null, kvBudgetBytes: 1 << 26, tiers: isFar ? tiers : null, choices });
    toFree.push(model);
    const { runner, sequence, spec } = model;
    const sampler = await Sampler.create(device, { vocabularySize: spec.vocabularySize, maxContextTokens: model.contextTokens });
    toFree.push(sampler);
    const token = (): number => below(random, spec.vocabularySize);
    const tokens = Array.from({ length: Math.min(model.contextTokens - 12, 60 + below(random, isFar ? 500 : 120)) }, token);
    for (const chunkTokens of [1 + below(random, 9), 16 + below(random, 200)]) {
      if (runner.far) runner.far.policy = { name: oneOf(random, policies), budget: { tokens: 1 + below(random, 60) }, estimate: random() < 0.5 } satisfies Policy;
      sequence.clear();
      // Row by row takes long.
      await sequence.extend(chunkTokens < 10 ? tokens.slice(0, 40) : tokens, { chunkTokens });
      sampler.begin({ ...greedySettings, ...(random() < 0.5 ? { temperature: 0.8, topK: 40, topP: 0.9, repetitionPenalty: 1.1 } : {}) }, sequence.tokens);
      const answer = generateTokens(device, runner, sequence, sampler, { maxTokens: 8, endTokens: new Set() });
      for await (const chosen of answer) expect(chosen).toBeLessThan(spec.vocabularySize);
    }
    await device.finished();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'internal') throw error;
    outcome = error.code;
  } finally {
    for (const one of toFree.reverse()) one.free();
  }
  expect(await strayWrites()).toEqual([]);
  return outcome;
}

describe.each(['none', 'clamp'] as const)('bounds checks: %s', (boundsChecks) => {
  let guarded: GuardedDevice;
  // Of this device alone: the checks cost some kernels more than others.
  const choices: ChoiceCache = new Map<string, string>();
  beforeAll(async () => {
    guarded = await openGuardedDevice({ boundsChecks });
  });
  afterAll(() => guarded.device.destroy());

  test.each(boundsChecks === 'none' ? [0, 100] : [0, 100, 2 ** 20, 2 ** 30 - 1])('a write that is %i words beside is found', async (beside) => {
    const { device, strayWrites } = guarded;
    const words = device.memory.storage('activations', 'words', 64);
    const code = `@group(0) @binding(0) var<storage, read_write> words: array<u32>; @compute @workgroup_size(1) fn main() { words[words[0] + 16u] = 1u; }`;
    device.gpu.queue.writeBuffer(words, 0, Uint32Array.of(beside));
    const kernel = await device.kernels.get({ label: 'stray', texts: [code] });
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, kernel.bind(words));
    pass.dispatchWorkgroups(1);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    expect(await strayWrites()).toEqual(['words']);
    expect(await strayWrites()).toEqual([]);
    device.memory.free(words);
  });

  // Shaders that clamp take an adapter that computes on the processor much longer to compile.
  const count = boundsChecks === 'none' ? shapes : Math.ceil(shapes / 3);
  const kinds: Record<string, (random: Random) => ReturnType<typeof memorySource> | Promise<ReturnType<typeof memorySource>>> = {
    'random shapes': (random) => memorySource(randomModel(random)),
    'changed tables': (random) => memorySource(changed(randomModel(random), random)),
    'families with other values': awkwardFamily,
  };

  // Every shape has kernels of its own, and the two that took longest took a minute each where nothing was compiled before.
  test.each(Object.keys(kinds))(`${count} %s`, { timeout: 60_000 + count * 180_000 }, async (kind) => {
    const outcomes: Record<string, number> = {};
    // Many a changed table is refused before anything is computed, and shows nothing.
    let computed = 0;
    for (let seed = firstSeed; computed < count && seed < firstSeed + 10 * count; seed += 1) {
      const random = seededRandom(seed);
      const outcome = await use(guarded, choices, await kinds[kind]!(random), random).catch((cause: unknown) => {
        throw new Error(`Seed ${seed} failed.`, { cause });
      });
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'used' || outcome === 'logits-not-finite') computed += 1;
    }
    if (process.env.LONGLEAF_SHAPES) console.log(`${kind}, bounds checks ${boundsChecks}: ${JSON.stringify(outcomes)}`);
    expect(computed).toBe(count);
  });
});
