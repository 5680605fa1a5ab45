import { appendFileSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toFailure } from '../errors.ts';
import { failureOf } from '../testing/failureOf.ts';
import { checkSegment, fingerprint, partsFor, seededRandom } from '../testing/memoryParts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { MemoryDamagedError } from './failures.ts';
import { MemoryStore } from './memoryStore.ts';

const tokens = [1, 2, 3].map((id) => Uint32Array.of(id, id * 1000, 7));
const names = ['keys.0', 'values.0', 'keys.1', 'values.1'];

/** A chain of three segments and a quota. */
async function storeOfThree() {
  const folder = join(temporaryFolder(), 'memories');
  const open = () => MemoryStore.open({ folder, keptFreeBytes: 0 });
  const store = await open();
  const keys: string[] = [];
  for (const content of tokens) keys.push(await store.seal(keys.at(-1) ?? null, fingerprint, content, partsFor(content, names), { name: 'document' }));
  await store.setQuota(1e9);
  await store.close();
  const reopen = async () => {
    const again = await open();
    onTestFinished(() => again.close());
    return again;
  };
  return { folder, keys, reopen };
}

/** Every file but the lock's. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('memories.lock'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Reads everything; wrong bytes fail the test. Resolves to the files that were found to be damaged. */
async function findDamage(store: MemoryStore, keys: readonly string[]): Promise<Set<string>> {
  const found = new Set(store.problems().map(({ file }) => file));
  const note = (error: unknown) => {
    if (!(error instanceof MemoryDamagedError)) throw error;
    expect(toFailure(error).code).toBe('memory-damaged');
    expect(error.message).toContain(`memories/${error.file}`);
    found.add(error.file);
  };
  for (const key of keys) await checkSegment(store, key).catch(note);
  for (const error of await store.scrub(undefined, async () => undefined)) note(error);
  return found;
}

test('bit flips, truncations and additions in every file are detected and named; no wrong byte is given', async () => {
  const { folder, keys, reopen } = await storeOfThree();
  const files = filesOf(folder);
  expect(files).toHaveLength(8);
  const random = seededRandom(5);
  for (let round = 0; round < 300; round += 1) {
    const file = files[round % files.length];
    const path = join(folder, file);
    const whole = readFileSync(path);
    const place = Math.floor(random() * whole.length);
    const kind = Math.floor(round / files.length) % 4;
    const damaged = Buffer.from(whole);
    damaged[place] ^= 1 << Math.floor(random() * 8);
    if (kind < 2) writeFileSync(path, damaged);
    else if (kind === 2) truncateSync(path, place);
    else appendFileSync(path, damaged.subarray(place));
    const store = await reopen();
    expect([...(await findDamage(store, keys))], `${file}, kind ${kind}, byte ${place}`).toEqual([file]);
    // Nothing is deleted while it is not certain what is needed.
    if (round % 10 === 0) expect((await store.sweep()).segments).toBe(0);
    await store.close();
    writeFileSync(path, whole);
  }
  expect([...(await findDamage(await reopen(), keys))]).toEqual([]);
});

test('a block of another place or another segment does not pass', async () => {
  const { folder, keys, reopen } = await storeOfThree();
  const data = (key: string) => join(folder, 'segments', `${key}.0`, 'data');
  const [first, second] = keys.map((key) => readFileSync(data(key)));
  const swapped = Buffer.concat([first.subarray(4096, 8192), first.subarray(0, 4096), first.subarray(8192)]);
  writeFileSync(data(keys[0]), swapped);
  writeFileSync(data(keys[1]), Buffer.concat([first.subarray(0, 4096), second.subarray(4096)]));
  const store = await reopen();
  const found = await store.scrub(undefined, async () => undefined);
  expect(new Map(found.map(({ key, block }) => [key, block]))).toEqual(new Map([[keys[0], 0], [keys[1], 0]]));
});

test('a file that is gone is damage, too', async () => {
  for (const name of ['data', 'manifest']) {
    const { folder, keys, reopen } = await storeOfThree();
    rmSync(join(folder, 'segments', `${keys[1]}.0`, name));
    const store = await reopen();
    expect((await failureOf(() => store.verifyOpen(keys[2]))).code).toBe('memory-damaged');
    expect((await store.list())[0].damaged).toBe(true);
    expect((await store.sweep()).segments).toBe(0);
  }
});

test('what opening checks: manifests, tokens and the tail, not the middle', async () => {
  const { folder, keys, reopen } = await storeOfThree();
  const flip = (key: string, file: string, place: number) => {
    const path = join(folder, 'segments', `${key}.0`, file);
    const bytes = readFileSync(path);
    bytes[place] ^= 8;
    writeFileSync(path, bytes);
  };
  const store = await reopen();
  const check = () => failureOf(() => store.verifyOpen(keys[2]));
  await store.verifyOpen(keys[2]);
  flip(keys[0], 'data', 3);
  expect(await check()).toEqual({
    code: 'memory-damaged',
    message: `A file of what was read is damaged: memories/segments/${keys[0]}.0/data, block 0 (byte 0): its checksum does not match.`,
    remedy: 'Let this part of the document be read again; the damaged file is kept until the new one is complete.',
  });
  flip(keys[0], 'data', 3);
  flip(keys[0], 'data', 4096);
  await store.verifyOpen(keys[2]);
  expect((await failureOf(() => checkSegment(store, keys[0]))).message).toContain('block 1 (byte 4096)');
  flip(keys[2], 'data', 4096);
  expect((await check()).message).toContain(keys[2]);
  flip(keys[2], 'data', 4096);
  flip(keys[1], 'manifest', 30);
  expect((await check()).message).toContain(`${keys[1]}.0/manifest`);
});

test('a damaged segment is put aside, read again, and its followers are found again', async () => {
  const { folder, keys, reopen } = await storeOfThree();
  const all = Uint32Array.from(tokens.flatMap((content) => [...content]));
  for (const file of ['data', 'manifest']) {
    const entry = readdirSync(join(folder, 'segments')).find((name) => name.startsWith(keys[1])) ?? '';
    writeFileSync(join(folder, 'segments', entry, file), 'nonsense');
    let store = await reopen();
    const [error] = await store.scrub();
    expect(error).toMatchObject({ key: keys[1], file: `segments/${entry}/${file}` });
    await store.quarantine(keys[1]);
    expect(store.longest(fingerprint, all).keys).toEqual([keys[0]]);
    expect(readdirSync(join(folder, 'segments'))).toContain(`quarantined-${entry}`);
    await store.close();
    store = await reopen();
    expect(store.longest(fingerprint, all).keys).toEqual([keys[0]]);
    expect((await store.list())[0].damaged).toBe(true);
    expect((await store.sweep()).segments).toBe(0);
    await store.seal(keys[0], fingerprint, tokens[1], partsFor(tokens[1], names), { name: 'document' });
    expect(store.longest(fingerprint, all).keys).toEqual(keys);
    expect(store.problems()).toEqual([]);
    expect((await store.list())[0].damaged).toBe(false);
    expect(readdirSync(join(folder, 'segments'))).toHaveLength(3);
    for (const key of keys) await checkSegment(store, key);
    await store.close();
  }
});

test('a scrub stops when it is told to', async () => {
  const { keys, reopen } = await storeOfThree();
  const store = await reopen();
  const controller = new AbortController();
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
    controller.abort();
  };
  expect(await store.scrub(controller.signal, pause)).toEqual([]);
  expect(pauses).toBe(1);
  expect(keys).toHaveLength(3);
});
