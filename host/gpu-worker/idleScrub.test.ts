import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MemoryStore } from '../memories/memoryStore.ts';
import { fingerprint, partsFor, randomTokens, seededRandom } from '../testing/memoryParts.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { IdleScrub } from './idleScrub.ts';

async function damagedStore() {
  const folder = join(temporaryFolder(), 'memories');
  const store = await MemoryStore.open({ folder, keptFreeBytes: 0 });
  onTestFinished(() => store.close());
  const random = seededRandom(3);
  const keys: string[] = [];
  for (let count = 0; count < 4; count++) {
    const tokens = randomTokens(random);
    keys.push(await store.seal(keys.at(-1) ?? null, fingerprint, tokens, partsFor(tokens)));
  }
  const path = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.includes(keys[2]) && name.endsWith('data'));
  if (!path) throw new Error('the segment has no data');
  const bytes = readFileSync(join(folder, path));
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(join(folder, path), bytes);
  return { store, damaged: keys[2] };
}

test('a rest finds what is damaged, before anyone needs it', async () => {
  const { store, damaged } = await damagedStore();
  const scrub = new IdleScrub(() => Promise.resolve([store]), { restMs: 1 });
  expect(store.problems()).toEqual([]);
  scrub.begin();
  await expect.poll(() => store.problems().map(({ key }) => key)).toEqual([damaged]);
  await scrub.end();
});

test('it ends when somebody wants something, and the next rest goes on', async () => {
  const { store, damaged } = await damagedStore();
  const reads: number[] = [];
  const counting = { scrub: (signal?: AbortSignal, pause?: () => Promise<void>, verified?: Set<string>) => store.scrub(signal, pause, verified).finally(() => reads.push(verified?.size ?? 0)) } as MemoryStore;
  const scrub = new IdleScrub(() => Promise.resolve([counting]), { restMs: 1 });
  scrub.begin();
  await scrub.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(reads).toEqual([]);
  scrub.begin();
  await expect.poll(() => reads).toEqual([3]);
  expect(store.problems().map(({ key }) => key)).toEqual([damaged]);
  scrub.begin();
  // Only what was not whole is read again.
  await expect.poll(() => reads).toEqual([3, 3]);
  await scrub.end();
});
