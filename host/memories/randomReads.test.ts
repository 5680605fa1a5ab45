import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SharedTarget, Stretches } from '../../engine/ports.ts';
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

/** Of all whole blocks. */
const checks = { checksums: checksums(0, Math.floor(bytes.length / blockBytes)), key };

/** Short reads at places without a gap, and whether each target has what the file has. */
function shortReads(offsetsBytes: number[], lengthBytes: number): { reads: [Stretches, SharedTarget]; areThere: () => boolean } {
  const memory = new SharedArrayBuffer(offsetsBytes.length * lengthBytes);
  const placesBytes = offsetsBytes.map((_, i) => i * lengthBytes);
  const areThere = (): boolean => offsetsBytes.every((offset, i) => bytes.subarray(offset, offset + lengthBytes).equals(Buffer.from(new Uint8Array(memory, placesBytes[i], lengthBytes))));
  return { reads: [{ offsetsBytes, placesBytes }, { lengthBytes, memory }], areThere };
}

test.each([
  { checked: null, how: 'as they are' },
  { checked: checks, how: 'checked' },
])('threads make short reads of many files at once, over the ends of blocks, too, $how', async ({ checked }) => {
  const files = await Promise.all(Array.from({ length: 40 }, async () => new RandomReads(await open(join(folder, 'file'), 'r'), threads)));
  const done = await Promise.all(
    files.map(async (file, i) => {
      const lengthBytes = [1, 264, 256, 5000, 9000][i % 5];
      const { reads, areThere } = shortReads(Array.from({ length: i }, (_, n) => (n * 7919 + i * 4093) % (73 * blockBytes - lengthBytes)), lengthBytes);
      return [await file.readShared(...reads, checked), areThere()];
    }),
  );
  expect(done).toEqual(files.map(() => [true, true]));
  await Promise.all(files.map((file) => file.close()));
});

test('short reads of a file that ends before, or of a block that is wrong, are not right, and others are', async () => {
  const file = new RandomReads(await open(join(folder, 'file'), 'r'), threads);
  const other = new RandomReads(await open(join(folder, 'file'), 'r'), threads);
  const wrong = { checksums: checks.checksums.slice(), key };
  wrong.checksums[4 * 13] ^= 1;
  const reads = (offset: number): [Stretches, SharedTarget] => shortReads([5, offset, 70], 100).reads;
  const answers = await Promise.all([
    file.readShared(...reads(bytes.length - 99), null),
    file.readShared(...reads(bytes.length - 100), null),
    file.readShared(...reads(13 * blockBytes + 17), wrong),
    file.readShared(...reads(13 * blockBytes - 99), wrong),
    other.readShared(...reads(12 * blockBytes + 17), wrong),
    other.readShared(...reads(13 * blockBytes + 17), checks),
    other.readShared(...reads(13 * blockBytes + 17), { ...checks, key: key.replace('c', 'd') }),
  ]);
  expect(answers).toEqual([false, true, false, false, true, true, false]);
  const [inside, target] = reads(0);
  expect(await file.readShared({ ...inside, placesBytes: [0, 100, 201] }, target, null)).toBe(false);
  // Whoever was not given threads reads by itself.
  const alone = await openReads();
  expect(await alone.readShared(...reads(0), null)).toBe(false);
  await Promise.all([file, other, alone].map((one) => one.close()));
});

test('closing waits for short reads, and threads that end leave none unanswered', async () => {
  const own = new BlockThreads(2);
  const file = new RandomReads(await open(join(folder, 'file'), 'r'), own);
  const order: string[] = [];
  const { reads, areThere } = shortReads(Array.from({ length: 3000 }, (_, i) => i * 90), 80);
  const reading = file.readShared(...reads, null).then((right) => order.push(`read ${right} ${areThere()}`));
  await file.close().then(() => order.push('closed'));
  await reading;
  expect(order).toEqual(['read true true', 'closed']);
  const again = new RandomReads(await open(join(folder, 'file'), 'r'), own);
  const unanswered = Array.from({ length: 20 }, () => again.readShared(...shortReads(Array.from({ length: 3000 }, (_, i) => i * 90), 80).reads, null));
  await new Promise((resolve) => void setImmediate(resolve));
  await own.close();
  expect(await Promise.all(unanswered)).toContain(false);
  expect(await again.readShared(...reads, null)).toBe(false);
  await again.close();
});

test('threads keep a process as long as they read for it, and no longer', () => {
  const program = `
    import { open } from 'node:fs/promises';
    import { BlockThreads } from ${JSON.stringify(new URL('blockThreads.ts', import.meta.url).href)};
    const file = await open(${JSON.stringify(join(folder, 'file'))});
    const memory = new SharedArrayBuffer(100);
    const right = await new BlockThreads(2).readShared({ descriptor: file.fd, offsetsBytes: [0], placesBytes: [0], target: { lengthBytes: 100, memory }, checks: null });
    console.log(right, Buffer.from(memory).equals(Buffer.from(${JSON.stringify([...bytes.subarray(0, 100)])})));`;
  writeFileSync(join(folder, 'program.mjs'), program);
  expect(execFileSync(process.execPath, ['--no-warnings', join(folder, 'program.mjs')], { encoding: 'utf8', timeout: 20_000 })).toBe('true true\n');
});
