import { expect, test } from 'vitest';
import { checkSegment, fingerprint, partsFor, seededRandom } from '../testing/memoryParts.ts';
import { PowerCut, PowerCutDisk } from '../testing/powerCutDisk.ts';
import { MemoryStore } from './memoryStore.ts';
import { keyOf } from './segmentFormat.ts';

const folder = '/data/memories';
const tokens = [1, 2, 3, 4].map((id) => Uint32Array.of(id, id * 1000, 7));
const a = keyOf(null, fingerprint, tokens[0]);
const b = keyOf(a, fingerprint, tokens[1]);
const c = keyOf(b, fingerprint, tokens[2]);
const d = keyOf(b, fingerprint, tokens[3]);
const parents = new Map<string, string | null>([[a, null], [b, a], [c, b], [d, b]]);
const tokensByKey = new Map([[a, tokens[0]], [b, tokens[1]], [c, tokens[2]], [d, tokens[3]]]);

interface Step {
  perform(store: MemoryStore): Promise<unknown>;
  /** Who holds what once it is done. */
  holds: Record<string, string>;
  /** Segments that are put aside once it is done. */
  quarantined?: string;
}

const seal = (key: string, owner: string, names?: readonly string[]) => (store: MemoryStore) => {
  const content = tokensByKey.get(key) ?? Uint32Array.of();
  return store.seal(parents.get(key) ?? null, fingerprint, content, partsFor(content, names), { name: owner, title: 'Alice' });
};

/** Everything that changes the disk: seals, forks, replacements, deletions, a sweep. */
const steps: Step[] = [
  { perform: seal(a, 'document'), holds: { document: a } },
  { perform: seal(b, 'document'), holds: { document: b } },
  { perform: seal(c, 'chat 1'), holds: { document: b, 'chat 1': c } },
  { perform: seal(d, 'chat 2'), holds: { document: b, 'chat 1': c, 'chat 2': d } },
  { perform: seal(b, 'document', ['rings']), holds: { document: b, 'chat 1': c, 'chat 2': d } },
  { perform: (store) => store.quarantine(b), holds: { document: b, 'chat 1': c, 'chat 2': d }, quarantined: b },
  { perform: seal(b, 'document'), holds: { document: b, 'chat 1': c, 'chat 2': d } },
  { perform: (store) => store.remove(['chat 1']), holds: { document: b, 'chat 2': d } },
  { perform: (store) => store.release('chat 2'), holds: { document: b } },
  { perform: (store) => store.sweep(), holds: { document: b } },
  { perform: (store) => store.setQuota(1e9), holds: { document: b } },
  { perform: (store) => store.remove(['document']), holds: {} },
];

async function newDisk(): Promise<PowerCutDisk> {
  const disk = new PowerCutDisk();
  await disk.makeFolder('/data');
  await disk.syncFolder('/');
  disk.operations = 0;
  return disk;
}

const open = (disk: PowerCutDisk) => MemoryStore.open({ folder, files: disk });

/** Resolves to how many steps were acknowledged before the power went. */
async function performUntilCut(disk: PowerCutDisk): Promise<number> {
  let done = 0;
  try {
    const store = await open(disk);
    for (const { perform } of steps) {
      await perform(store);
      done += 1;
    }
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return done;
}

async function holdsOf(store: MemoryStore): Promise<Record<string, string>> {
  const holds: Record<string, string> = {};
  for (const { leaf, owners } of await store.list()) for (const { owner } of owners) holds[owner] = leaf;
  return holds;
}

function pathTo(leaf: string): string[] {
  const parent = parents.get(leaf) ?? null;
  return parent === null ? [leaf] : [...pathTo(parent), leaf];
}

function neededBy(holds: Record<string, string>): Set<string> {
  return new Set(Object.values(holds).flatMap(pathTo));
}

/** Fails unless the store is as it was after `done` steps, or as the next one leaves it. */
async function check(store: MemoryStore, done: number): Promise<void> {
  const before = steps[done - 1] ?? { holds: {} };
  const after = steps[done] ?? before;
  const holds = await holdsOf(store);
  expect([before.holds, after.holds]).toContainEqual(holds);
  expect(store.problems()).toEqual([]);
  const aside = new Set([before.quarantined, after.quarantined]);
  const needed = neededBy(holds);
  for (const key of parents.keys()) {
    const held = needed.has(key);
    const isThere = await store.verify(key).then(
      () => true,
      (error: { code?: string }) => {
        // Absent as a whole, never in part.
        expect(error.code).toBe('memory-not-found');
        return false;
      },
    );
    expect(isThere || !held).toBe(true);
    if (isThere) await checkSegment(store, key);
    const path = pathTo(key);
    const all = Uint32Array.from(path.flatMap((each) => [...(tokensByKey.get(each) ?? [])]));
    const found = store.longest(fingerprint, all).keys;
    expect(path.slice(0, found.length)).toEqual(found);
    if (held && !path.some((each) => aside.has(each))) expect(found).toEqual(path);
  }
}

async function checkAfterwards(disk: PowerCutDisk, done: number): Promise<void> {
  const store = await open(disk);
  await check(store, done);
  await store.sweep();
  await check(store, done);
  const segments = await disk.list(`${folder}/segments`);
  const needed = neededBy(await holdsOf(store));
  expect(segments.filter((name) => !/^(quarantined-)?[0-9a-f]{64}\.\d+$/.test(name))).toEqual([]);
  expect(segments).toHaveLength(needed.size);
  // And it goes on from there.
  for (const key of [a, b, c, d]) await seal(key, 'again')(store);
  for (const key of [a, b, c, d]) await checkSegment(store, key);
  await store.close();
}

test('a power cut at any operation leaves every segment whole or absent, and what was acknowledged', async () => {
  const whole = await newDisk();
  expect(await performUntilCut(whole)).toBe(steps.length);
  const operations = whole.operations;
  expect(operations).toBeGreaterThan(100);
  for (let cutAt = 1; cutAt <= operations; cutAt += 1) {
    for (let seed = 0; seed < 3; seed += 1) {
      const random = seededRandom(cutAt * 1000 + seed);
      const disk = await newDisk();
      disk.cutAt = cutAt;
      const done = await performUntilCut(disk);
      disk.restart(random);
      if (seed % 2 === 1) {
        // It goes again while the leftovers are swept.
        disk.cutAt = 1 + Math.floor(random() * 12);
        await open(disk)
          .then((store) => store.sweep())
          .catch((error: unknown) => expect(error).toBeInstanceOf(PowerCut));
        disk.restart(random);
      }
      await checkAfterwards(disk, done).catch((error: unknown) => {
        throw new Error(`cut at operation ${cutAt}, seed ${seed}, after ${done} steps`, { cause: error });
      });
    }
  }
}, 60_000);

test('the simulation loses what is not synced', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 60; seed += 1) {
    const disk = await newDisk();
    const file = await disk.createFile('/data/a');
    await file.append(Buffer.alloc(1024, 1));
    await disk.syncFolder('/data');
    await file.sync();
    await file.append(Buffer.alloc(1024, 2));
    await disk.rename('/data/a', '/data/b');
    disk.restart(seededRandom(seed));
    const [name] = await disk.list('/data');
    const content = await disk.readFile(`/data/${name}`);
    expect(content.subarray(0, 1024).every((byte) => byte === 1)).toBe(true);
    outcomes.add(`${name} ${content.length}`);
  }
  expect([...outcomes]).toEqual(expect.arrayContaining(['a 1024', 'b 1024', 'a 2048', 'b 2048']));
  expect(outcomes.size).toBeGreaterThan(6);
});
