/** Vectors that a step misses and that are on disk, read by threads to shared memory: from spilled files and from memories. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { KeptRuns } from '../../engine/kept/keptRuns.ts';
import { KeptVectors } from '../../engine/kept/keptVectors.ts';
import { keysPart, valuesPart } from '../../engine/kept/parts.ts';
import { FarStore } from '../../engine/kv/tiers/farStore.ts';
import { type FarFormat, recordWords } from '../../engine/kv/tiers/record.ts';
import { MemoryDamagedError } from '../memories/failures.ts';
import { MemoryStore } from '../memories/memoryStore.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { keptPath } from './memories.ts';
import { SpillFolder } from './spillFolder.ts';

interface Shape {
  kvHeads: number;
  headDim: number;
  segmentTokens: number;
  format: FarFormat;
}

const layers = 2;
const segments = 5;
const shapes: Shape[] = [
  { kvHeads: 3, headDim: 64, segmentTokens: 64, format: 'f16' },
  { kvHeads: 1, headDim: 128, segmentTokens: 128, format: 'q8' },
  { kvHeads: 2, headDim: 80, segmentTokens: 192, format: 'q8' },
];

/** Every word says where it belongs. */
function wordOf(layer: number, part: number, head: number, token: number, word: number): number {
  return (((layer * 2 + part) * 8 + head) * 4096 + token) * 128 + word;
}

/** [kvHead][token][words] of the keys (part 0) or values of tokens [first, first + tokens). */
function vectorsOf({ kvHeads, headDim, format }: Shape, layer: number, part: number, first: number, tokens: number): Uint32Array {
  const words = recordWords(format, headDim);
  return Uint32Array.from({ length: kvHeads * tokens * words }, (_, i) => wordOf(layer, part, Math.floor(i / words / tokens), first + (Math.floor(i / words) % tokens), i % words));
}

/** Fetches random tokens of all heads of a layer to shared memory, and expects them there. */
async function expectFetched(store: FarStore, { kvHeads }: Shape, tokens: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { words } = store;
  for (let layer = 0; layer < layers; layer++) {
    const asked = Array.from({ length: kvHeads }, () => Array.from({ length: 37 }, () => Math.floor(random() * tokens)));
    const perHead = 2 * words * 37;
    const offset = 11;
    // Not from the buffer's first byte on.
    const target = new Uint32Array(new SharedArrayBuffer(4 * (3 + offset + kvHeads * perHead)), 12);
    const absent = asked.flatMap((list, head) => store.plan(layer, head, list, head * perHead, { words: new Int32Array(6 * list.length), count: 0 }));
    await store.fetch(absent, target, offset);
    for (const [head, list] of asked.entries()) {
      for (const [i, token] of list.entries()) {
        for (const part of [0, 1]) {
          const place = offset + head * perHead + (2 * i + part) * words;
          expect([...target.subarray(place, place + words)]).toEqual(Array.from({ length: words }, (_, word) => wordOf(layer, part, head, token, word)));
        }
      }
    }
  }
}

test.each(shapes)('from spilled files: $kvHeads heads of $headDim in $format', async (shape) => {
  const disk = new SpillFolder(temporaryFolder());
  onTestFinished(() => disk.removeAll());
  const store = new FarStore({ ...shape, layers }, { ramBudgetBytes: 0, disk });
  for (let segment = 0; segment < segments; segment++) {
    const first = segment * shape.segmentTokens;
    for (let layer = 0; layer < layers; layer++) {
      const both = [0, 1].map((part) => vectorsOf(shape, layer, part, first, shape.segmentTokens));
      store.append(layer, Uint32Array.from([...both[0], ...both[1]]));
    }
  }
  await store.settled();
  await expectFetched(store, shape, segments * shape.segmentTokens, 1);
  expect(store.bytes.diskReadBytes).toBe(layers * shape.kvHeads * 37 * 2 * 4 * store.words);
  await expect(disk.readShared([{ name: 'layer 7 segment 7', offsetsBytes: [0], placesBytes: [0] }], { lengthBytes: 4, memory: new SharedArrayBuffer(4) })).rejects.toThrow('nothing called layer 7 segment 7 was written');
});

/** A memory in stretches that are no segments of the far store, and a far store that has all in there. */
async function kept(shape: Shape) {
  const folder = join(temporaryFolder(), 'memories');
  const store = await MemoryStore.open({ folder, keptFreeBytes: 0 });
  onTestFinished(() => store.close());
  const tokens = Array.from({ length: segments * shape.segmentTokens + 9 }, (_, i) => i);
  const fingerprint = 'model';
  const keys: string[] = [];
  for (let first = 0; first < tokens.length; ) {
    const some = tokens.slice(first, first + 50 + 31 * keys.length);
    const parts = Array.from({ length: layers }, (_, layer) =>
      [keysPart(layer), valuesPart(layer)].map((name, part) => ({ name, bytes: new Uint8Array(vectorsOf(shape, layer, part, first, some.length).buffer) })),
    ).flat();
    keys.push(await store.seal(keys.at(-1) ?? null, fingerprint, Uint32Array.from(some), parts, { name: 'document' }));
    first += some.length;
  }
  const runs = new KeptRuns(new KeptVectors(keptPath(store, fingerprint, tokens).segments), {
    kvHeads: shape.kvHeads,
    segmentTokens: shape.segmentTokens,
    recordBytes: 4 * recordWords(shape.format, shape.headDim),
    blocks: Array.from({ length: layers }, (_, layer) => layer),
  });
  const far = new FarStore({ ...shape, layers }, { ramBudgetBytes: 0, disk: new SpillFolder(folder) });
  far.adopt(runs, segments, { growing: false });
  return { folder, store, keys, far, tokens: tokens.length };
}

test.each(shapes)('from a memory, also of a segment that is not whole yet: $kvHeads heads of $headDim in $format', async (shape) => {
  const { far, tokens } = await kept(shape);
  await expectFetched(far, shape, tokens, 2);
});

test('a byte that changed in a memory is named, and no wrong vector is given', async () => {
  const [shape] = shapes;
  const { folder, store, keys, far, tokens } = await kept(shape);
  const path = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('data') && name.includes(keys[2].slice(0, 16)));
  if (!path) throw new Error('the segment has no file');
  const content = readFileSync(join(folder, path));
  // The tokens are the first part, the keys of block 0 the second.
  content[2 * 4096 + 100] ^= 4;
  writeFileSync(join(folder, path), content);
  const failure = await expectFetched(far, shape, tokens, 3).then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(MemoryDamagedError);
  expect(failure).toMatchObject({ key: keys[2], block: 2 });
  expect(store.problems()).toEqual([failure]);
});

test('a spilled run that is removed is read to its end, and another of its name is not lost with it', async () => {
  const disk = new SpillFolder(temporaryFolder());
  onTestFinished(() => disk.removeAll());
  const content = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  await disk.write('run', content);
  const offsetsBytes = Array.from({ length: 2000 }, (_, i) => 49 * i);
  const memory = new SharedArrayBuffer(256 * offsetsBytes.length);
  const reading = disk.readShared([{ name: 'run', offsetsBytes, placesBytes: offsetsBytes.map((_, i) => 256 * i) }], { lengthBytes: 256, memory });
  const removing = disk.remove('run');
  const other = Uint8Array.of(1, 2, 3);
  await disk.write('run', other);
  await Promise.all([reading, removing]);
  expect(Buffer.compare(Buffer.from(memory), Buffer.concat(offsetsBytes.map((offset) => content.subarray(offset, offset + 256))))).toBe(0);
  expect(await disk.read('run', [{ offsetBytes: 0, lengthBytes: 3 }])).toEqual([other]);
});
