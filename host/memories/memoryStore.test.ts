import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert, asyncProperty, integer, nat, tuple } from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../testing/failureOf.ts';
import { checkSegment, fingerprint, partsFor, randomTokens, seededRandom } from '../testing/memoryParts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { blockBytes } from './blocks.ts';
import { diskFileSystem, type FileSystem } from './fileSystem.ts';
import { MemoryStore, type MemoryStoreOptions } from './memoryStore.ts';
import { keyOf } from './segmentFormat.ts';

async function openStore(folder = join(temporaryFolder(), 'memories'), options: Partial<MemoryStoreOptions> = {}) {
  const store = await MemoryStore.open({ folder, keptFreeBytes: 0, ...options });
  onTestFinished(() => store.close());
  return { folder, store };
}

const tokensOf = (...ids: number[]) => Uint32Array.from(ids);
const joined = (...lists: Uint32Array[]) => Uint32Array.from(lists.flatMap((list) => [...list]));

/** A chain of segments with these tokens; resolves to their keys. */
async function sealChain(store: MemoryStore, lists: readonly Uint32Array[], parent: string | null = null): Promise<string[]> {
  const keys: string[] = [];
  for (const tokens of lists) keys.push(await store.seal(keys.at(-1) ?? parent, fingerprint, tokens, partsFor(tokens)));
  return keys;
}

test('random parts come back, whole and in any pieces, before and after reopening', async () => {
  const { folder, store } = await openStore();
  const random = seededRandom(1);
  const keys = await sealChain(store, Array.from({ length: 12 }, () => randomTokens(random)));
  await store.close();
  const { store: again } = await openStore(folder, { openFiles: 3 });
  for (const key of keys) await checkSegment(again, key);
  await again.verifyOpen(keys.at(-1) ?? '');

  const ranges = [];
  const expected: Uint8Array[] = [];
  const contents = await Promise.all(keys.map(async (key) => partsFor(await again.tokens(key))));
  for (let index = 0; index < 400; index += 1) {
    const segment = Math.floor(random() * keys.length);
    const key = keys[segment];
    const { name: part, bytes } = contents[segment][Math.floor(random() * 3)];
    const offsetBytes = Math.floor(random() * (bytes.length + 1));
    const lengthBytes = Math.floor(random() * (bytes.length - offsetBytes + 1));
    ranges.push({ key, part, offsetBytes, lengthBytes });
    expected.push(bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
  }
  const found = await again.readMany(ranges);
  expect(found.filter((bytes, index) => Buffer.compare(bytes, expected[index]) !== 0)).toEqual([]);
});

test('neighbours are read in one call, far ones in their own', async () => {
  let reads = 0;
  const counting: FileSystem = {
    ...diskFileSystem,
    async openFile(path) {
      const file = await diskFileSystem.openFile(path);
      return { close: () => file.close(), read: (target, offset) => ((reads += 1), file.read(target, offset)) };
    },
  };
  const { store } = await openStore(undefined, { files: counting });
  const bytes = new Uint8Array(600 * blockBytes).map((_, index) => (index * 7 + (index >> 12)) & 255);
  const key = await store.seal(null, fingerprint, tokensOf(1), [{ name: 'keys.0', bytes }]);
  await store.read(key, 'keys.0', 0, 1);
  const range = (offsetBlocks: number, lengthBytes = 100) => ({ key, part: 'keys.0', offsetBytes: offsetBlocks * blockBytes + 50, lengthBytes });
  reads = 0;
  const wanted = [range(5), range(4), range(4, 10), range(9), range(200), range(4, 3 * blockBytes), range(400, 0)];
  const found = await store.readMany(wanted);
  expect(reads).toBe(2);
  for (const [index, { offsetBytes, lengthBytes }] of wanted.entries()) {
    expect(Buffer.compare(found[index], bytes.subarray(offsetBytes, offsetBytes + lengthBytes))).toBe(0);
  }
  await expect(store.read(key, 'keys.0', bytes.length - 5, 6)).rejects.toThrow(RangeError);
  await expect(store.read(key, 'values.0', 0, 1)).rejects.toThrow('no part');
});

test('long and short stretches go straight to where they are wanted; a wrong block is named there, too', async () => {
  const { store, folder } = await openStore();
  const random = seededRandom(11);
  const bytes = new Uint8Array(700 * blockBytes + 123).map((_, index) => (index * 31 + (index >> 11)) & 255);
  const key = await store.seal(null, fingerprint, tokensOf(1), [{ name: 'keys.0', bytes }, { name: 'values.0', bytes: bytes.slice(0, 90 * blockBytes) }]);
  for (let round = 0; round < 30; round++) {
    const ranges = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
      const part = random() < 0.3 ? 'values.0' : 'keys.0';
      const partBytes = part === 'keys.0' ? bytes.length : 90 * blockBytes;
      const offsetBytes = Math.floor(random() * partBytes);
      return { part, offsetBytes, lengthBytes: Math.floor(random() ** 2 * (partBytes - offsetBytes + 1)) };
    });
    const targets = ranges.map(({ lengthBytes }) => new Uint8Array(lengthBytes));
    await store.readInto(key, ranges, targets);
    for (const [index, { offsetBytes, lengthBytes }] of ranges.entries()) {
      expect(Buffer.compare(targets[index], bytes.subarray(offsetBytes, offsetBytes + lengthBytes)), JSON.stringify(ranges)).toBe(0);
    }
  }
  await expect(store.readInto(key, [{ part: 'keys.0', offsetBytes: bytes.length - 5, lengthBytes: 6 }], [new Uint8Array(6)])).rejects.toThrow(RangeError);
  const data = join(folder, 'segments', `${key}.0`, 'data');
  const stored = readFileSync(data);
  const place = stored.indexOf(bytes.subarray(300 * blockBytes, 301 * blockBytes));
  stored[place + 77] ^= 1;
  writeFileSync(data, stored);
  const whole = { part: 'keys.0', offsetBytes: 0, lengthBytes: bytes.length };
  await expect(store.readInto(key, [whole], [new Uint8Array(bytes.length)])).rejects.toMatchObject({ code: 'memory-damaged', block: place / blockBytes });
});

test('the longest path is found among forks and segments of other lengths', async () => {
  const { store } = await openStore();
  const [first] = await sealChain(store, [tokensOf(1, 2, 3)]);
  const [long] = await sealChain(store, [tokensOf(4, 5, 6, 7)], first);
  const [short, after] = await sealChain(store, [tokensOf(4, 5), tokensOf(6, 7, 8, 9)], first);
  await sealChain(store, [tokensOf(1, 2)]);
  const find = (...ids: number[]) => store.longest(fingerprint, tokensOf(...ids));
  expect(find(1, 2, 3, 4, 5, 6, 7, 8)).toEqual({ keys: [first, long], tokens: 7 });
  expect(find(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)).toEqual({ keys: [first, short, after], tokens: 9 });
  expect(find(1, 2, 3, 4, 5, 9)).toEqual({ keys: [first, short], tokens: 5 });
  expect(find(1, 2).tokens).toBe(2);
  expect(find(2)).toEqual({ keys: [], tokens: 0 });
  expect(store.longest('model 2', tokensOf(1, 2, 3)).tokens).toBe(0);
});

test('sealing what is stored is free; parts that come later are added', async () => {
  let created = 0;
  const counting: FileSystem = { ...diskFileSystem, createFile: (path) => ((created += 1), diskFileSystem.createFile(path)) };
  const { folder, store } = await openStore(undefined, { files: counting });
  const tokens = tokensOf(1, 2, 3);
  const key = await store.seal(null, fingerprint, tokens, partsFor(tokens));
  expect(key).toBe(keyOf(null, fingerprint, tokens));
  created = 0;
  expect(await store.seal(null, fingerprint, tokens, partsFor(tokens))).toBe(key);
  expect(created).toBe(0);
  await store.seal(null, fingerprint, tokens, partsFor(tokens, ['rings']));
  expect([...store.describe(key).parts.keys()].sort()).toEqual(['keys.0', 'rings', 'sketch.0', 'tokens', 'values.0']);
  await checkSegment(store, key);
  expect(readdirSync(join(folder, 'segments'))).toEqual([`${key}.1`]);
  // At the same moment, twice.
  const other = tokensOf(9);
  await Promise.all([1, 2, 3].map(() => store.seal(key, fingerprint, other, partsFor(other), { name: 'document:1' })));
  expect(readdirSync(join(folder, 'segments'))).toHaveLength(2);
  await expect(store.seal(key, fingerprint, tokensOf(), [])).rejects.toThrow(RangeError);
  await expect(store.seal(key, fingerprint, tokensOf(8), [{ name: 'tokens', bytes: new Uint8Array(1) }])).rejects.toThrow(RangeError);
  expect(await failureOf(() => store.seal('0'.repeat(64), fingerprint, tokensOf(8), []))).toMatchObject({ code: 'memory-not-found' });
});

test('a thinned segment keeps its key, its place and its other parts, and can get them back', async () => {
  const { folder, store } = await openStore();
  const tokens = tokensOf(1, 2, 3);
  const key = await store.seal(null, fingerprint, tokens, [...partsFor(tokens), ...partsFor(tokens, ['rings'])], { name: 'document:1' });
  const [child] = await sealChain(store, [tokensOf(4)], key);
  const before = (await store.usage()).usedBytes;
  const kept = await store.read(key, 'keys.0', 0, 100);
  await store.thin(key, (part) => part === 'rings');
  expect([...store.describe(key).parts.keys()].sort()).toEqual(['keys.0', 'sketch.0', 'tokens', 'values.0']);
  expect((await store.usage()).usedBytes).toBeLessThan(before);
  expect(await store.read(key, 'keys.0', 0, 100)).toEqual(kept);
  expect(store.longest(fingerprint, tokensOf(1, 2, 3, 4)).keys).toEqual([key, child]);
  await checkSegment(store, key);
  await store.thin(key, (part) => part === 'rings');
  expect(readdirSync(join(folder, 'segments')).sort()).toEqual([`${key}.1`, `${child}.0`].sort());
  await store.seal(null, fingerprint, tokens, [...partsFor(tokens), ...partsFor(tokens, ['rings'])]);
  expect(store.describe(key).parts.has('rings')).toBe(true);
  await store.close();
  const reopened = await MemoryStore.open({ folder });
  expect(reopened.problems()).toEqual([]);
  expect(reopened.describe(key).parts.has('rings')).toBe(true);
  await reopened.close();
});

test('only its owner can enter, and only one store at a time', async () => {
  const { folder, store } = await openStore();
  const tokens = tokensOf(1);
  await store.seal(null, fingerprint, tokens, partsFor(tokens), { name: 'document:1' });
  const modes = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => [
    entry.isDirectory(),
    statSync(join(entry.parentPath, entry.name)).mode & 0o777,
  ]);
  expect(modes.length).toBeGreaterThan(6);
  if (process.platform !== 'win32') for (const [isFolder, mode] of modes) expect(mode).toBe(isFolder ? 0o700 : 0o600);
  expect(await failureOf(() => MemoryStore.open({ folder }))).toMatchObject({ code: 'data-folder-in-use' });
  await store.close();
  await openStore(folder);
});

test('a folder that cannot be used is said to be so', async () => {
  const folder = join(temporaryFolder(), 'memories');
  mkdirSync(folder);
  writeFileSync(join(folder, 'segments'), 'not a folder');
  expect(await failureOf(() => MemoryStore.open({ folder }))).toMatchObject({
    code: 'data-folder-unusable',
    message: `Longleaf cannot use its folder of memories ${folder} (ENOTDIR).`,
  });
});

test('what is read while it is replaced or deleted is right or not there', async () => {
  const { store } = await openStore(undefined, { openFiles: 1 });
  const lists = [1, 2, 3].map((id) => tokensOf(id, 0, id));
  let deleted = 0;
  let read = 0;
  const state = { going: true };
  const readAll = async () => {
    while (state.going) {
      for (const tokens of lists) {
        await checkSegment(store, keyOf(null, fingerprint, tokens)).then(
          () => (read += 1),
          (error: { code?: string }) => {
            // A part may have gone between being listed and being read.
            if (!(error instanceof RangeError)) expect(error.code).toBe('memory-not-found');
            deleted += 1;
          },
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const readers = [readAll(), readAll(), readAll()];
  for (let round = 0; round < 12; round += 1) {
    for (const [index, tokens] of lists.entries()) {
      const key = await store.seal(null, fingerprint, tokens, partsFor(tokens), { name: `document:${index}` });
      if (round % 2 === 0) await store.seal(null, fingerprint, tokens, partsFor(tokens, ['rings']));
      else await store.quarantine(key);
      if (round % 3 === 0) await store.remove([`document:${index}`]);
    }
  }
  state.going = false;
  await Promise.all(readers);
  expect(store.problems()).toEqual([]);
  expect(Math.min(read, deleted)).toBeGreaterThan(5);
});

test('a list says what a memory is, who holds it, and what deleting it would free', async () => {
  const { store } = await openStore();
  const [a, b] = await sealChain(store, [tokensOf(1, 2), tokensOf(3)]);
  await store.hold(b, { name: 'document:1', title: 'Alice', modelName: 'Tiny' });
  const c = await store.seal(b, fingerprint, tokensOf(4, 5), partsFor(tokensOf(4, 5)), { name: 'conversation:1' });
  const size = async (key: string) => (await store.list()).find(({ leaf }) => leaf === key);
  await store.markUsed(b, 2_000_000_000_000);
  expect((await store.list()).map(({ leaf }) => leaf)).toEqual([b, c]);
  expect(await size(b)).toMatchObject({
    tokens: 3,
    fingerprint,
    freedBytes: 0,
    lastUsedAtMs: 2_000_000_000_000,
    owners: [{ owner: 'document:1', title: 'Alice', modelName: 'Tiny' }],
    damaged: false,
  });
  const whole = (await size(c))?.bytes ?? 0;
  const tail = (await size(c))?.freedBytes ?? 0;
  expect(store.freed(['conversation:1'])).toEqual({ bytes: tail, segments: 1 });
  expect(store.freed(['conversation:1', 'document:1'])).toEqual({ bytes: whole, segments: 3 });
  expect((await store.usage()).usedBytes).toBe(whole);
  // The document alone frees nothing: the chat goes on from it.
  expect(await store.removeLeaf(b)).toEqual({ bytes: 0, segments: 0 });
  expect(await store.remove(['conversation:1'])).toEqual({ bytes: whole, segments: 3 });
  expect(await store.list()).toEqual([]);
  expect(await failureOf(() => store.read(a, 'keys.0', 0, 0))).toMatchObject({ code: 'memory-not-found' });
});

test('a deletion that was cut short does not stand in the way of the next one of the same segment', async () => {
  const dying: FileSystem = { ...diskFileSystem, removeFile: (path) => (path.includes('leaving-') ? Promise.reject(new Error('killed')) : diskFileSystem.removeFile(path)) };
  const { folder, store } = await openStore(undefined, { files: dying });
  const [key] = await sealChain(store, [tokensOf(1, 2, 3)]);
  await store.hold(key, { name: 'document:a' });
  await expect(store.remove(['document:a'])).rejects.toThrow('killed');
  await store.close();

  const { store: again } = await openStore(folder);
  expect(await sealChain(again, [tokensOf(1, 2, 3)])).toEqual([key]);
  await again.hold(key, { name: 'document:a' });
  expect(await again.remove(['document:a'])).toMatchObject({ segments: 1 });
  await again.sweep();
  expect(readdirSync(join(folder, 'segments'))).toEqual([]);
});

test('a quota and the disk are asked before anything is written', async () => {
  let freeSpace = 1e9;
  const files: FileSystem = { ...diskFileSystem, freeBytes: async () => freeSpace };
  const { folder, store } = await openStore(undefined, { files, keptFreeBytes: 1_000_000 });
  const bytes = new Uint8Array(200_000);
  const seal = (id: number) => store.seal(null, fingerprint, tokensOf(id), [{ name: 'keys.0', bytes }]);
  await seal(1);
  await store.setQuota(500_000);
  await store.ensureRoom(200_000);
  await seal(2);
  const { usedBytes } = await store.usage();
  expect(await failureOf(() => seal(3))).toEqual({
    code: 'memory-quota-full',
    message: 'Only 89.5 kB of the 500.0 kB for memories are left, and 209.1 kB are needed for what is read.',
    remedy: 'Delete memories or allow more on the memories page, then go on: what has been read is kept.',
  });
  // Two at once do not share the room that is there for one.
  await store.setQuota(700_000);
  expect((await Promise.allSettled([seal(3), seal(4)])).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await store.setQuota(null);
  freeSpace = 1_150_000;
  expect(await failureOf(() => store.ensureRoom(200_000))).toMatchObject({
    code: 'disk-full',
    message: '200.0 kB are needed for what is read, but only 150.0 kB can be used of this disk.',
  });
  expect((await store.usage()).freeBytes).toBe(150_000);
  expect(readdirSync(join(folder, 'segments'))).toHaveLength(3);
  expect(usedBytes).toBeGreaterThan(400_000);
});

test('a disk that fills up while a segment is written leaves nothing behind', async () => {
  for (let failing = 0; failing < 6; failing += 1) {
    let writes = 0;
    const files: FileSystem = {
      ...diskFileSystem,
      async createFile(path) {
        const file = await diskFileSystem.createFile(path);
        const append = (bytes: Uint8Array) =>
          writes++ === failing ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' })) : file.append(bytes);
        return { ...file, append };
      },
    };
    const { folder, store } = await openStore(undefined, { files });
    const seal = () => store.seal(null, fingerprint, tokensOf(1), [{ name: 'keys.0', bytes: new Uint8Array(10_000) }], { name: 'document:1' });
    expect((await failureOf(seal)).code).toBe('disk-full');
    await store.verify(await seal());
    expect(readdirSync(join(folder, 'segments'))).toHaveLength(1);
    expect(readdirSync(join(folder, 'references'))).toHaveLength(1);
  }
});

test('forks and references behave like a simple model of them', async () => {
  const owners = ['document:1', 'document:2', 'conversation:1', 'reading:1'];
  const step = tuple(integer({ min: 0, max: 9 }), nat(1000), nat(1000));
  await assert(
    asyncProperty(array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const folder = join(temporaryFolder(), 'memories');
      mkdirSync(folder);
      let store = await MemoryStore.open({ folder });
      /** Parent and size of each segment, and the leaves of each owner. */
      const parents = new Map<string, string | null>();
      const held = new Map<string, Set<string>>();
      const ancestors = (key: string): string[] => {
        const parent = parents.get(key) ?? null;
        return parent === null ? [] : [parent, ...ancestors(parent)];
      };
      const needed = (except: readonly string[] = []) =>
        new Set([...held].flatMap(([owner, leaves]) => (except.includes(owner) ? [] : [...leaves].flatMap((leaf) => [leaf, ...ancestors(leaf)]))));
      const hold = (owner: string, leaf: string) => {
        const leaves = held.get(owner) ?? new Set();
        if ([...leaves].some((other) => other === leaf || ancestors(other).includes(leaf))) return;
        held.set(owner, new Set([...leaves].filter((other) => !ancestors(leaf).includes(other))).add(leaf));
      };
      const keep = (keys: ReadonlySet<string>) => {
        for (const key of parents.keys()) if (!keys.has(key)) parents.delete(key);
      };
      try {
        for (const [action, first, second] of steps) {
          const keys = [...parents.keys()];
          const key = keys[first % Math.max(1, keys.length)];
          const owner = owners[second % owners.length];
          if (action < 4 || keys.length === 0) {
            const parent = keys.length === 0 || first % 7 === 0 ? null : key;
            const tokens = tokensOf(second % 4, 7);
            const sealed = await store.seal(parent, fingerprint, tokens, partsFor(tokens), action === 0 ? undefined : { name: owner });
            parents.set(sealed, parent);
            if (action !== 0) hold(owner, sealed);
          } else if (action === 4) {
            await store.hold(key, { name: owner });
            hold(owner, key);
          } else if (action === 5) {
            await store.release(owner, first % 2 === 0 ? key : undefined);
            if (first % 2 === 0) held.get(owner)?.delete(key);
            else held.delete(owner);
          } else if (action === 6) {
            const before = needed();
            const after = needed([owner]);
            const isFreed = (each: string) => [each, ...ancestors(each)].some((one) => before.has(one) && !after.has(one));
            const kept = keys.filter((each) => !isFreed(each));
            expect(store.freed([owner]).segments).toBe(keys.length - kept.length);
            expect((await store.remove([owner])).segments).toBe(keys.length - kept.length);
            held.delete(owner);
            keep(new Set(kept));
          } else if (action === 7) {
            expect((await store.sweep()).segments).toBe(keys.length - needed().size);
            keep(needed());
          } else if (action === 8) {
            await store.close();
            store = await MemoryStore.open({ folder });
          } else {
            const path = [...ancestors(key).reverse(), key];
            const tokens = joined(...(await Promise.all(path.map((each) => store.tokens(each)))), tokensOf(99));
            expect(store.longest(fingerprint, tokens).keys).toEqual(path);
          }
          expect(readdirSync(join(folder, 'segments')).sort()).toEqual([...parents.keys()].map((each) => `${each}.0`).sort());
          expect((await store.list()).map(({ leaf }) => leaf).sort()).toEqual([...new Set([...held.values()].flatMap((leaves) => [...leaves]))].sort());
        }
        for (const key of parents.keys()) await checkSegment(store, key);
        expect(store.problems()).toEqual([]);
      } finally {
        await store.close();
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 60_000);
