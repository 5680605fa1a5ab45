import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { memorySource } from '../formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { defaultPolicy } from '../kv/tiers/policy.ts';
import { memoryBlocks } from '../kv/tiers/testing/memoryBlocks.ts';
import { loadModel, type LoadedModel } from '../model.ts';
import type { KeptSegment } from '../ports.ts';
import { measuredChoices, openTestDevice } from '../testing/device.ts';
import { tinyModel } from '../testing/tinyModel.ts';
import { constantBytes, keepsState } from '../models/spec.ts';
import { Keeper } from './keeper.ts';
import { isSnapshotPart, type SegmentPart, statePart } from './parts.ts';
import { restore, usableSegments } from './restore.ts';
import { SegmentExport } from './segmentExport.ts';
import { KeptInMemory } from './testing/keptInMemory.ts';

const contextTokens = 1024;
/** A whole segment, and one that ends with the document. */
const documentTokens = 700;
/** Two documents, for layers whose state is kept where one ends. */
const documentEnds = [512, documentTokens];

let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

describe.each([
  { architecture: 'llama', far: null },
  { architecture: 'gemma3', far: null },
  { architecture: 'gemma3', far: 'f16' },
  { architecture: 'llama', far: 'q8' },
  { architecture: 'qwen35', far: null },
  { architecture: 'qwen35', far: 'f16' },
  { architecture: 'lfm2', far: null },
] as const)('$architecture, beyond the GPU: $far', ({ architecture, far }) => {
  const random = seededRandom(23);
  const noise = (count: number): number[] => Array.from({ length: count }, () => Math.floor(random() * 256));
  const document = noise(documentTokens);
  const question = noise(20);
  const bytes = tinyModel({ architecture, contextTokens, layers: 2 });
  const kept = new KeptInMemory();
  /** Other chunks round differently; wrong keys move logits by 4. */
  const tolerance = far === null ? 1e-3 : far === 'f16' ? 0.03 : 0.3;
  /** After the question: by the policy, and with every key attended exactly. */
  let written: Float32Array;
  let writtenExactly: Float32Array;
  let reader: LoadedModel;

  const load = (): Promise<LoadedModel> =>
    loadModel(device, memorySource(bytes), {
      contextTokens,
      kvBudgetBytes: 1 << 30,
      choices: measuredChoices,
      // A little RAM, so that most is read from what is kept.
      tiers: far ? { gpuBudgetBytes: 800_000, ramBudgetBytes: 100_000, format: far, disk: memoryBlocks().disk, offload: 'always', largestShare: 0.2 } : null,
    });
  const logits = ({ runner, spec }: LoadedModel): Promise<Float32Array> => readback.floats(runner.logits, 0, spec.vocabularySize);

  /** Reads as the worker does: chunks, a stop at the document's end, what is read is kept. */
  async function read(model: LoadedModel, sink: KeptInMemory, tokens: number[], ends: number[], path: readonly KeptSegment[], older: readonly KeptSegment[] = []): Promise<Keeper> {
    const keeper = new Keeper(device, model, sink, { path, older, sharedTokens: model.sequence.reusable(tokens) });
    await model.sequence.extend(tokens, { chunkTokens: 100, checkpointsAt: ends, onChunk: () => keeper.note({ ends: ends.includes(model.sequence.length) }) });
    await keeper.settled();
    return keeper;
  }

  /** One more step by the policy: its logits depend on the index and on every far key. */
  async function answer(model: LoadedModel, prompt: number[]): Promise<Float32Array> {
    await model.sequence.extend(prompt, { chunkTokens: 100 });
    await model.sequence.extend([...prompt, 9], { asDecoding: true });
    return logits(model);
  }

  /** The same with every far key attended exactly. */
  async function exact(model: LoadedModel, prompt: number[]): Promise<Float32Array> {
    if (model.runner.far) model.runner.far.policy = { name: 'full', budget: { share: 1 }, estimate: false };
    return answer(model, prompt);
  }

  function expectRestored(restored: Float32Array, before: Float32Array, rounding = 0.3): void {
    if (far === 'q8') {
      // What was still in the ring has been rounded since.
      for (const [i, value] of before.entries()) expect(Math.abs(restored[i] - value)).toBeLessThan(rounding);
    } else expect(restored).toEqual(before);
  }

  beforeAll(async () => {
    const writer = await load();
    const keeper = await read(writer, kept, document, documentEnds, []);
    expect(keeper.keptTokens).toBe(documentTokens);
    written = await answer(writer, [...document, ...question]);
    writtenExactly = await exact(writer, [...document, ...question]);
    keeper.free();
    writer.free();
    reader = await load();
  });
  afterAll(() => reader.free());

  test('segments end at multiples of 512 and where the document does', () => {
    expect(kept.segments.map(({ position, tokenCount }) => [position, tokenCount])).toEqual([[0, 512], [512, 188]]);
    expect(kept.segments.flatMap(({ tokens }) => [...tokens])).toEqual(document);
  });

  test('a kept state has the bytes that the description says', () => {
    for (const [block, { mixer }] of reader.spec.blocks.entries()) {
      for (const { parts } of kept.segments) expect(parts.get(statePart(block)) ?? 0).toBe(keepsState(mixer) ? constantBytes(mixer) : 0);
    }
  });

  test('stretches that are copied together are those copied one by one', async () => {
    const stretches = [[0, 512], [512, 640], [640, documentTokens]].map(([first, end]) => ({ first, end, withStates: end === documentTokens }));
    reader.sequence.clear();
    await reader.sequence.extend(document, { chunkTokens: 100, checkpointsAt: documentEnds });
    const taken: SegmentPart[][][] = [];
    for (const togetherBytes of [undefined, 1]) {
      const out = new SegmentExport(device, reader.runner, { togetherBytes });
      taken.push(await Promise.all(out.take(stretches, documentTokens)));
      const alone: SegmentPart[][] = [];
      for (const stretch of stretches) alone.push(...(await Promise.all(out.take([stretch], documentTokens))));
      taken.push(alone);
      out.free();
    }
    const [together] = taken;
    for (const others of taken.slice(1)) expect(others).toEqual(together);
    // Rings have moved on since, and states are those of the end.
    const lasting = together[0].filter(({ name }) => !isSnapshotPart(name));
    expect(lasting.length).toBeGreaterThan(0);
    for (const part of lasting) expect(kept.segments[0].bytes.get(part.name), part.name).toEqual(part.bytes);
  });

  test('a model that begins with what was kept gives the logits of the one that read it', async () => {
    const usable = usableSegments(reader.runner, kept.segments);
    expect(usable).toHaveLength(2);
    await restore(device, reader, document, usable, { growing: false });
    expect(reader.sequence.length).toBe(documentTokens);
    expectRestored(await answer(reader, [...document, ...question]), written);
  });

  test('reading goes on from the middle, and what follows is kept as if it had never stopped', async () => {
    const usable = usableSegments(reader.runner, kept.segments.slice(0, 1));
    await restore(device, reader, document, usable, { growing: true });
    const again = new KeptInMemory();
    const keeper = await read(reader, again, document, [documentTokens], usable);
    expect(again.segments.map(({ position, tokenCount }) => [position, tokenCount])).toEqual([[512, 188]]);
    expect([...again.segments[0].parts]).toEqual([...kept.segments[1].parts]);
    const later = await exact(reader, [...document, ...question]);
    for (const [i, value] of writtenExactly.entries()) expect(Math.abs(later[i] - value)).toBeLessThan(tolerance);
    keeper.free();
  });

  test('a fork reads the shared part from the segments of the other branch', async () => {
    const usable = usableSegments(reader.runner, kept.segments);
    await restore(device, reader, document, usable, { growing: true });
    const other = [...document.slice(0, 600), ...noise(150)];
    const sink = new KeptInMemory();
    const keeper = await read(reader, sink, other, [other.length], kept.segments.slice(0, 1), usable);
    const forked = await exact(reader, [...other, ...question]);
    expect(sink.segments.map(({ position, tokenCount }) => [position, tokenCount])).toEqual([[512, 238]]);
    keeper.free();
    reader.sequence.clear();
    await reader.runner.truncate(0);
    const fresh = await exact(reader, [...other, ...question]);
    for (const [i, value] of fresh.entries()) expect(Math.abs(forked[i] - value)).toBeLessThan(tolerance);
  });

  test('a segment that cannot be read is an error that leaves nothing half restored', async () => {
    const broken = kept.segments.map((segment, index) => (index === 1 ? { ...segment, read: () => Promise.reject(new Error('damaged')) } : segment));
    await expect(restore(device, reader, document, broken, { growing: false })).rejects.toThrow('damaged');
    expect(reader.sequence.length).toBe(0);
    const fresh = await answer(reader, [...document, ...question]);
    for (const [i, value] of writtenExactly.entries()) expect(Math.abs(fresh[i] - value)).toBeLessThan(tolerance);
  });

  // Far segments have 128 tokens: the third one begins before the stop and ends after it.
  const stopped = 300;
  if (far !== null) {
    test('where reading once stopped within a far segment, only the index of that one is built again', async () => {
      reader.sequence.clear();
      await reader.runner.truncate(0);
      const sink = new KeptInMemory();
      (await read(reader, sink, document.slice(0, stopped), [stopped], [])).free();
      (await read(reader, sink, document, [documentTokens], [...sink.segments])).free();
      expect(sink.segments.map(({ position }) => position)).toEqual([0, stopped, 512]);
      if (reader.runner.far) reader.runner.far.policy = defaultPolicy;
      const asRead = await answer(reader, [...document, ...question]);
      const fetched = new Map<number, number>();
      const watched = sink.segments.map((segment): KeptSegment => {
        const read: KeptSegment['read'] = (ranges) => {
          for (const { part, lengthBytes } of ranges) if (part.startsWith('index-')) fetched.set(segment.position, (fetched.get(segment.position) ?? 0) + lengthBytes);
          return segment.read(ranges);
        };
        return { ...segment, read };
      });
      await restore(device, reader, document, usableSegments(reader.runner, watched), { growing: false });
      for (const { position, parts } of sink.segments) {
        const keptBytes = [...parts].reduce((sum, [name, bytes]) => sum + (name.startsWith('index-') ? bytes : 0), 0);
        expect(keptBytes).toBeGreaterThan(0);
        expect(fetched.get(position)).toBe(keptBytes);
      }
      // Rounding has some tokens chosen in place of others.
      expectRestored(await answer(reader, [...document, ...question]), asRead, 0.5);
    });

    test('an index of another version is built again from the keys', async () => {
      const named = (name: string): string => name.replace(/^index-\d+-/, 'index-0-');
      const older = kept.segments.map((segment): KeptSegment => ({ ...segment, parts: new Map([...segment.parts].map(([name, length]) => [named(name), length])) }));
      expect(older.every(({ parts }) => [...parts.keys()].some((name) => name.startsWith('index-0-')))).toBe(true);
      if (reader.runner.far) reader.runner.far.policy = defaultPolicy;
      await restore(device, reader, document, usableSegments(reader.runner, older), { growing: false });
      expect(reader.sequence.length).toBe(documentTokens);
      // Of 8 bits the whole index is of rounded keys now, by which others are chosen; wrong keys move logits by 4.
      expectRestored(await answer(reader, [...document, ...question]), written, 1);
    });
  }

  test('the end of a segment without its keys is no place to begin', () => {
    // Block 0 slides in Gemma, sees everything in Llama, and keeps a state in the hybrids.
    const lacking = new Set(['keys.0', 'window-keys.0', 'state.0']);
    const without = kept.segments.map((segment, index) => (index === 1 ? { ...segment, parts: new Map([...segment.parts].filter(([name]) => !lacking.has(name))) } : segment));
    expect(usableSegments(reader.runner, without)).toHaveLength(1);
  });
});
