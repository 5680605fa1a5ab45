import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RandomReads } from './randomReads.ts';

let folder: string;
const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251));
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'longleaf-reads-'));
  writeFileSync(join(folder, 'file'), bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

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
