import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { badBlocks, blockBytes, blockChecksum } from './blocks.ts';
import { BlockThreads } from './blockThreads.ts';
import { RandomReads } from './randomReads.ts';

let folder: string;
const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251));
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'longleaf-reads-'));
  writeFileSync(join(folder, 'file'), bytes);
});
const threads = new BlockThreads(2);
afterAll(async () => {
  await threads.close();
  rmSync(folder, { recursive: true });
});

const openReads = async (): Promise<RandomReads> => new RandomReads(await open(join(folder, 'file'), 'r'));

test('many reads at once each get their bytes, fewer only at the end', async () => {
  const file = await openReads();
  const offsets = Array.from({ length: 500 }, (_, i) => (i * 7919) % bytes.length);
  const found = await Promise.all(
    offsets.map(async (offset) => {
      const target = new Uint8Array(4096);
      return target.subarray(0, await file.read(target, offset));
    }),
  );
  for (const [i, offset] of offsets.entries()) expect(bytes.subarray(offset, offset + 4096).equals(found[i]), `${offset}`).toBe(true);
  expect(await file.read(new Uint8Array(8), bytes.length)).toBe(0);
  expect(await file.read(new Uint8Array(0), 0)).toBe(0);
  await file.close();
});

test('closing waits for what is being read', async () => {
  const file = await openReads();
  const order: string[] = [];
  const target = new Uint8Array(bytes.length);
  const reading = file.read(target, 0).then(() => order.push('read'));
  await file.close().then(() => order.push('closed'));
  await reading;
  expect(order).toEqual(['read', 'closed']);
  expect(bytes.equals(target)).toBe(true);
});

test('a failure is that of the system', async () => {
  const file = new RandomReads(await open(folder, 'r'));
  await expect(file.read(new Uint8Array(8), 0)).rejects.toMatchObject({ code: 'EISDIR' });
  await file.close();
});

const key = '00c0ffee'.padEnd(64, '0');
/** Of the file's whole blocks. */
function checksums(firstBlock: number, blocks: number): Uint8Array {
  const table = new Uint32Array(blocks);
  for (let i = 0; i < blocks; i++) table[i] = blockChecksum(key, firstBlock + i, bytes.subarray((firstBlock + i) * blockBytes, (firstBlock + i + 1) * blockBytes));
  return new Uint8Array(table.buffer);
}

test('threads check long runs, many at once', async () => {
  const file = new RandomReads(await open(join(folder, 'file'), 'r'), threads);
  const runs = Array.from({ length: 60 }, (_, i) => ({ firstBlock: i, blocks: 1 + (i % 13) }));
  const damaged = (i: number): boolean => i % 7 === 3;
  const right = await Promise.all(
    runs.map(({ firstBlock, blocks }, i) => {
      const table = checksums(firstBlock, blocks);
      if (damaged(i)) table[4 * (i % blocks)] ^= 1;
      return file.checkBlocks({ firstBlock, checksums: table, key });
    }),
  );
  expect(right).toEqual(runs.map((_, i) => !damaged(i)));
  await file.close();
});

test('a run with a block that is wrong, in another place, of another segment or past the end is not right', async () => {
  const file = new RandomReads(await open(join(folder, 'file'), 'r'), threads);
  const wrong = checksums(8, 20);
  wrong[4 * 13] ^= 1;
  expect(badBlocks(bytes.subarray(8 * blockBytes, 28 * blockBytes), { firstBlock: 8, checksums: wrong, key })).toEqual([13]);
  expect(await file.checkBlocks({ firstBlock: 8, checksums: wrong, key })).toBe(false);
  expect(await file.checkBlocks({ firstBlock: 9, checksums: checksums(8, 20), key })).toBe(false);
  expect(await file.checkBlocks({ firstBlock: 8, checksums: checksums(8, 20), key: key.replace('c', 'd') })).toBe(false);
  expect(await file.checkBlocks({ firstBlock: 60, checksums: new Uint8Array(4 * 30), key })).toBe(false);
  expect(await file.checkBlocks({ firstBlock: 8, checksums: checksums(8, 20), key })).toBe(true);
  await file.close();
  // Whoever was not given threads compares by itself.
  const alone = await openReads();
  expect(await alone.checkBlocks({ firstBlock: 0, checksums: checksums(0, 2), key })).toBe(false);
  await alone.close();
});
