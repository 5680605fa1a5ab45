import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureOf } from '../testing/failureOf.ts';
import { checkSegment, fingerprint, partsFor } from '../testing/memoryParts.ts';
import { smallFileSystem } from '../testing/smallFileSystem.ts';
import { diskFileSystem } from './fileSystem.ts';
import { MemoryStore } from './memoryStore.ts';

test('a real disk that fills up stops the reading, keeps what is there, and goes on after some is freed', async (context) => {
  const disk = smallFileSystem(context, 1024);
  const tokens = (id: number) => Uint32Array.of(id, id, id);
  // The first time nothing warns of it: the writes themselves fail.
  for (const freeBytes of [() => Promise.resolve(1e9), diskFileSystem.freeBytes]) {
    const folder = join(disk, 'memories');
    const store = await MemoryStore.open({ folder, files: { ...diskFileSystem, freeBytes }, keptFreeBytes: 0 });
    const keys: string[] = [];
    const sealNext = async () => {
      const content = tokens(keys.length);
      keys.push(await store.seal(keys.at(-1) ?? null, fingerprint, content, partsFor(content), { name: 'document' }));
    };
    const fill = async () => {
      for (;;) await sealNext();
    };
    const failure = await failureOf(fill);
    expect(failure.code).toBe('disk-full');
    expect(failure.message).toMatch(/^\d.* are needed for what is read, but only \d.* can be used of this disk\.$/);
    expect(keys.length).toBeGreaterThan(20);
    await store.close();
    const again = await MemoryStore.open({ folder, keptFreeBytes: 0 });
    expect((await again.list()).map(({ leaf }) => leaf)).toEqual([keys.at(-1)]);
    for (const key of keys) await checkSegment(again, key);
    expect(readdirSync(join(folder, 'segments'))).toHaveLength(keys.length);
    // A full disk can still be tidied.
    expect((await again.remove(['document'])).segments).toBe(keys.length);
    const content = tokens(0);
    await again.seal(null, fingerprint, content, partsFor(content));
    await again.close();
    rmSync(folder, { recursive: true });
    writeFileSync(join(disk, 'other'), new Uint8Array(100_000));
  }
});
