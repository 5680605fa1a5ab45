import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { CopyThreads } from '../../../host/gpu-worker/copyThreads.ts';
import { TransferFiles } from '../../../host/gpu-worker/transferFiles.ts';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import type { LongCopies, SharedCopies } from '../../ports.ts';
import { asIntegers, copyRuns, type Runs } from './copyRuns.ts';
import { FarStore } from './farStore.ts';
import type { FarFormat } from './record.ts';
import { memoryBlocks } from './testing/memoryBlocks.ts';

const layers = 2;
const segments = 6;

interface Shape {
  kvHeads: number;
  headDim: number;
  segmentTokens: number;
  format: FarFormat;
  /** Segments that RAM has room for, of all. */
  ramSegments: number;
  /** By other threads. */
  longCopies?: boolean;
}

/** Every word says where it belongs, so that no copy can go unnoticed to a wrong place. */
function wordOf(layer: number, part: number, head: number, token: number, word: number): number {
  return (((layer * 2 + part) * 8 + head) * 4096 + token) * 64 + word;
}

/** What a load does with a head's tokens, on this thread: their keys and values, from `offset` words on. */
async function gather(store: FarStore, layer: number, kvHead: number, tokens: ArrayLike<number>, target: Uint32Array, offset: number): Promise<void> {
  const runs: Runs = { words: new Int32Array(6 * tokens.length), count: 0 };
  const absent = store.plan(layer, kvHead, tokens, offset, runs);
  copyRuns(store.sources, runs.words, 0, runs.count, store.words, asIntegers(target));
  await store.fetch(absent, target);
}

describe.each<Shape>([
  { kvHeads: 3, headDim: 64, segmentTokens: 64, format: 'f16', ramSegments: 100 },
  { kvHeads: 3, headDim: 64, segmentTokens: 64, format: 'f16', ramSegments: 4 },
  { kvHeads: 1, headDim: 128, segmentTokens: 128, format: 'q8', ramSegments: 0 },
  { kvHeads: 2, headDim: 80, segmentTokens: 192, format: 'q8', ramSegments: 5 },
  { kvHeads: 3, headDim: 64, segmentTokens: 64, format: 'f16', ramSegments: 100, longCopies: true },
  { kvHeads: 2, headDim: 80, segmentTokens: 192, format: 'q8', ramSegments: 5, longCopies: true },
])('$kvHeads heads of $headDim, $segmentTokens tokens a segment, $format, RAM for $ramSegments, by others $longCopies', (shape) => {
  const { kvHeads, segmentTokens, ramSegments } = shape;
  const file = shape.longCopies ? new TransferFiles(tmpdir()) : null;
  const longCopies: LongCopies | null = file && { fewestBytes: 1, copy: (copy) => file.copy(copy) };
  afterAll(() => file?.close());

  async function filled() {
    const { disk, runs, served } = memoryBlocks();
    const probe = new FarStore({ ...shape, layers }, { ramBudgetBytes: 0, disk: null });
    // An eighth of the budget is for blocks.
    const store = new FarStore({ ...shape, layers }, { ramBudgetBytes: (ramSegments * probe.segmentWords * 4 * 8) / 7, disk, longCopies });
    for (let segment = 0; segment < segments; segment++) {
      for (let layer = 0; layer < layers; layer++) store.append(layer, segmentOf(store.words, layer, segment));
    }
    return { store, runs, served };
  }

  function segmentOf(words: number, layer: number, segment: number): Uint32Array {
    const content = new Uint32Array(2 * kvHeads * segmentTokens * words);
    for (let part = 0; part < 2; part++) {
      for (let head = 0; head < kvHeads; head++) {
        for (let token = 0; token < segmentTokens; token++) {
          for (let word = 0; word < words; word++) {
            content[((part * kvHeads + head) * segmentTokens + token) * words + word] = wordOf(layer, part, head, segment * segmentTokens + token, word);
          }
        }
      }
    }
    return content;
  }

  test('ranges and single tokens come back from RAM, from disk and from both', async () => {
    const { store } = await filled();
    const { words } = store;
    const random = seededRandom(5);
    // Before the writes are done, and after.
    for (const settled of [false, true]) {
      if (settled) await store.settled();
      for (let round = 0; round < 20; round++) {
        const layer = Math.floor(random() * layers);
        const first = Math.floor(random() * segments * segmentTokens);
        const tokens = 1 + Math.floor(random() * (segments * segmentTokens - first));
        const part = random() < 0.5 ? 0 : 1;
        const stride = tokens + 3;
        const range = new Uint32Array(kvHeads * stride * words);
        await store.range(layer, part, first, tokens, range, stride);
        for (const head of [0, kvHeads - 1]) {
          for (const token of [0, Math.floor(tokens / 2), tokens - 1]) {
            for (const word of [0, words - 1]) expect(range[(head * stride + token) * words + word]).toBe(wordOf(layer, part, head, first + token, word));
          }
        }
        const blocks = Array.from({ length: kvHeads }, () => Array.from({ length: (segments * segmentTokens) / 32 }, (_, block) => block).filter(() => random() < 0.4));
        const most = Math.min(...blocks.map((list) => list.length));
        const brought = new Uint32Array(kvHeads * most * 32 * words);
        await store.blocks(layer, part, blocks.map((list) => Uint32Array.from(list.slice(0, most))), 32, brought, most * 32);
        for (const [of, list] of blocks.entries()) {
          for (let at = 0; at < most; at++) {
            for (const token of [0, 31]) expect(brought[((of * most + at) * 32 + token) * words]).toBe(wordOf(layer, part, of, list[at] * 32 + token, 0));
          }
        }
        const chosen = Array.from({ length: 1 + Math.floor(random() * 30) }, () => Math.floor(random() * segments * segmentTokens));
        const head = Math.floor(random() * kvHeads);
        const gathered = new Uint32Array(7 + chosen.length * 2 * words);
        await gather(store, layer, head, chosen, gathered, 7);
        chosen.forEach((token, i) => {
          for (const one of [0, 1]) {
            for (const word of [0, words - 1]) expect(gathered[7 + (2 * i + one) * words + word]).toBe(wordOf(layer, one, head, token, word));
          }
        });
      }
    }
  });

  test('bytes are counted where they lie, and RAM stays within its budget', async () => {
    const { store, runs } = await filled();
    await store.settled();
    const segmentBytes = 4 * store.segmentWords;
    const all = layers * segments;
    const inRam = Math.min(all, ramSegments);
    expect(store.bytes.ramBytes).toBe(inRam * segmentBytes);
    expect(store.bytes.diskBytes).toBe((all - inRam) * segmentBytes);
    expect(runs.size).toBe(all - inRam);
  });

  test('what is cut off is gone, and its place can be filled again', async () => {
    const { store, runs } = await filled();
    await store.settled();
    store.truncate(2);
    expect(store.segments(0)).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect([...runs.keys()].some((name) => / [2-9]$/.test(name))).toBe(false);
    // Other text at the same positions: nothing of the old may come back, from RAM, the block cache or disk.
    store.append(0, segmentOf(store.words, 1, 2));
    await store.settled();
    const target = new Uint32Array(2 * store.words);
    await gather(store, 0, 0, [2 * segmentTokens], target, 0);
    expect(target[0]).toBe(wordOf(1, 0, 0, 2 * segmentTokens, 0));
  });
});

test('a failed write is heard of, and the segment stays readable', async () => {
  const { disk } = memoryBlocks();
  const shape = { layers: 1, kvHeads: 1, headDim: 64, segmentTokens: 64, format: 'f16' as const };
  const store = new FarStore(shape, { ramBudgetBytes: 0, disk: { ...disk, write: () => Promise.reject(new Error('no space left')) } });
  const words = Uint32Array.from({ length: store.segmentWords }, (_, i) => i);
  store.append(0, words);
  await expect(store.settled()).rejects.toThrow('no space left');
  const target = new Uint32Array(2 * store.words);
  await gather(store, 0, 0, [3], target, 0);
  expect(target[0]).toBe(3 * store.words);
});

test('what is being brought stays where it lies until it is there', async () => {
  const { disk } = memoryBlocks();
  let brought = (): void => undefined;
  const isBrought = new Promise<void>((resolve) => (brought = resolve));
  const longCopies: LongCopies = {
    fewestBytes: 1,
    copy: async ({ from, to }) => {
      await isBrought;
      let at = 0;
      for (const bytes of from) {
        to.set(bytes, at);
        at += bytes.length;
      }
    },
  };
  const threads = new CopyThreads({ threads: 0 });
  const shape = { layers: 1, kvHeads: 2, headDim: 64, segmentTokens: 64, format: 'f16' as const };
  const store = new FarStore(shape, { ramBudgetBytes: Infinity, disk, copies: threads, longCopies });
  const words = Uint32Array.from({ length: store.segmentWords }, (_, i) => i);
  store.append(0, words);
  const target = new Uint32Array(2 * 64 * store.words);
  const bringing = store.range(0, 0, 0, 64, target, 64);
  store.truncate(0);
  expect(store.bytes.ramBytes).toBe(words.byteLength);
  store.append(0, words.toReversed());
  brought();
  await bringing;
  expect(target).toEqual(words.subarray(0, target.length));
  expect(store.bytes.ramBytes).toBe(words.byteLength);
  store.free();
  await threads.close();
});

test('segments of all layers that others bring to memory which threads share', async () => {
  const file = new TransferFiles(tmpdir());
  const threads = new CopyThreads({ threads: 1 });
  const shape = { layers: 3, kvHeads: 2, headDim: 64, segmentTokens: 64, format: 'f16' as const };
  const store = new FarStore(shape, { ramBudgetBytes: Infinity, disk: null, copies: threads, longCopies: { fewestBytes: 1, copy: (copy) => file.copy(copy) } });
  const words = Uint32Array.from({ length: shape.layers * store.segmentWords }, (_, i) => i);
  await store.appendAll(words);
  for (let layer = 0; layer < shape.layers; layer++) {
    const keys = new Uint32Array(store.segmentWords / 2);
    await store.range(layer, 0, 0, 64, keys, 64);
    expect(keys).toEqual(words.subarray(layer * store.segmentWords, layer * store.segmentWords + keys.length));
  }
  expect(store.bytes.ramBytes).toBe(words.byteLength);
  store.free();
  expect(store.bytes.ramBytes).toBe(0);
  await Promise.all([threads.close(), file.close()]);
});

describe('segments that threads copy from', () => {
  const threads = new CopyThreads({ threads: 2 });
  afterAll(() => threads.close());
  const shape = { layers: 3, kvHeads: 2, headDim: 128, segmentTokens: 64, format: 'q8' as const };
  const segmentWords = new FarStore(shape, { ramBudgetBytes: 0, disk: null }).segmentWords;
  const wholeBytes = 4 * shape.layers * segmentWords;

  /** RAM for three segments and a half, beside an eighth for blocks. */
  function filled(disk = memoryBlocks().disk) {
    const held = new Set<number>();
    const copies: SharedCopies = {
      fewestRuns: 1,
      allocate: (sizeBytes) => {
        const block = threads.allocate(sizeBytes);
        held.add(block.number);
        return block;
      },
      release: (block) => {
        expect(held.delete(block)).toBe(true);
        threads.release(block);
      },
      begin: (copy) => threads.begin(copy),
    };
    const store = new FarStore(shape, { ramBudgetBytes: (3.5 * wholeBytes * 8) / 7, disk, copies });
    const random = seededRandom(9);
    for (let segment = 0; segment < segments; segment++) store.appendAll(Uint32Array.from({ length: shape.layers * segmentWords }, () => Math.floor(random() * 2 ** 32)));
    return { store, held, copies };
  }

  test('whole ones leave RAM, and what they lay in is given back', async () => {
    const { store, held } = filled();
    expect(store.bytes).toMatchObject({ ramBytes: segments * wholeBytes, diskBytes: 0 });
    await store.settled();
    expect(store.bytes).toMatchObject({ ramBytes: 3 * wholeBytes, diskBytes: 3 * wholeBytes });
    expect(held.size).toBe(3);
    for (let layer = 0; layer < shape.layers; layer++) expect(Array.from({ length: segments }, (_, segment) => store.inRam(layer, segment))).toEqual([true, true, true, false, false, false]);
    store.truncate(2);
    expect(store.bytes).toMatchObject({ ramBytes: 2 * wholeBytes, diskBytes: 0 });
    expect(held.size).toBe(2);
    store.free();
    expect(store.bytes.ramBytes).toBe(0);
    expect(held.size).toBe(0);
  });

  test('what is still being written is given back afterwards', async () => {
    const { disk } = memoryBlocks();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const { store, held } = filled({ ...disk, write: async (name, bytes) => ended.then(() => disk.write(name, bytes)) });
    store.truncate(1);
    expect(held.size).toBe(1 + 3);
    expect(store.bytes).toMatchObject({ ramBytes: 4 * wholeBytes, diskBytes: 0 });
    end();
    await expect.poll(() => held.size).toBe(1);
    expect(store.bytes).toMatchObject({ ramBytes: wholeBytes, diskBytes: 0 });
    store.free();
  });

  test('threads bring what one thread brings', async () => {
    const { store, copies } = filled();
    await store.settled();
    const random = seededRandom(4);
    const { words } = store;
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 4 }, () => ({
        layer: Math.floor(random() * shape.layers),
        kvHead: Math.floor(random() * shape.kvHeads),
        tokens: Array.from({ length: 100 }, () => Math.floor(random() * segments * shape.segmentTokens)),
      }));
      const expected = new Uint32Array(400 * 2 * words);
      for (const [i, { layer, kvHead, tokens }] of asked.entries()) await gather(store, layer, kvHead, tokens, expected, i * 200 * words);
      const list = copies.allocate(4 * 6 * 400);
      const target = copies.allocate(expected.byteLength);
      const gathered = new Uint32Array(target.buffer).fill(0);
      const runs = { words: new Int32Array(list.buffer), count: 0 };
      const before = store.bytes.ramReadBytes;
      const absent = asked.flatMap(({ layer, kvHead, tokens }, i) => store.plan(layer, kvHead, tokens, i * 200 * words, runs));
      expect(store.bytes.ramReadBytes - before).toBe(4 * words * runs.count);
      expect(absent.length).toBeGreaterThan(0);
      const finish = copies.begin({ runs: list.number, count: runs.count, runWords: words, target: target.number });
      await store.fetch(absent, gathered);
      await finish();
      expect(gathered.slice()).toEqual(expected);
      for (const { number } of [list, target]) copies.release(number);
    }
    store.free();
  });
});
