import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { LongCopy } from '../../engine/ports.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { TransferFiles } from './transferFiles.ts';

const megabyte = 2 ** 20;

/** Of bytes that say where they belong, cut anywhere, from memory that threads share or not; the target lies within a larger one. */
function anyCopy(sizeBytes: number, random: () => number): { copy: LongCopy; expected: Uint8Array; around: Uint8Array } {
  const buffer = random() < 0.5 ? new SharedArrayBuffer(sizeBytes + 5) : new ArrayBuffer(sizeBytes + 5);
  const source = new Uint8Array(buffer, 5);
  for (let i = 0; i < sizeBytes; i++) source[i] = (i * 31 + (i >> 8) * 7 + 1) & 255;
  const from: Uint8Array[] = [];
  for (let at = 0; at < sizeBytes; ) {
    const end = Math.min(sizeBytes, at + Math.floor(random() * Math.max(3, sizeBytes / 3)));
    from.push(source.subarray(at, end));
    at = end;
  }
  const around = new Uint8Array(sizeBytes + 20).fill(9);
  return { copy: { from, to: around.subarray(10, 10 + sizeBytes) }, expected: Uint8Array.from(source), around };
}

function expectThere({ expected, around }: { expected: Uint8Array; around: Uint8Array }): void {
  expect(Buffer.compare(around.subarray(10, 10 + expected.length), expected)).toBe(0);
  expect([...around.subarray(0, 10), ...around.subarray(10 + expected.length)].every((byte) => byte === 9)).toBe(true);
}

test('copies of any length, of anything cut anywhere, many at once', async () => {
  const files = new TransferFiles(temporaryFolder());
  const random = seededRandom(3);
  const sizes = [0, 1, 7, 4096, megabyte, 2 * megabyte - 1, 2 * megabyte, 2 * megabyte + 1, 7 * megabyte + 3];
  for (let round = 0; round < 3; round++) {
    const copies = sizes.flatMap((size) => Array.from({ length: 4 }, () => anyCopy(size, random)));
    await Promise.all(copies.map(({ copy }) => files.copy(copy)));
    for (const one of copies) expectThere(one);
  }
  await files.close();
});

test('sides of different lengths are refused', async () => {
  const files = new TransferFiles(temporaryFolder());
  await expect(files.copy({ from: [new Uint8Array(4), new Uint8Array(5)], to: new Uint8Array(8) })).rejects.toThrow(new RangeError('9 bytes cannot be copied to 8'));
  await files.close();
});

test('nothing of the files is left in their folder, and they are closed when what is under way has ended', async () => {
  const folder = temporaryFolder();
  const opened = (): number => readdirSync('/proc/self/fd').filter((fd) => isOf(folder, fd)).length;
  const files = new TransferFiles(folder);
  expect(readdirSync(folder)).toEqual([]);
  if (process.platform === 'linux') expect(opened()).toBe(16);
  const random = seededRandom(8);
  const copies = Array.from({ length: 30 }, () => anyCopy(3 * megabyte, random));
  const copying = copies.map(({ copy }) => files.copy(copy));
  const closed = files.close();
  const late = anyCopy(megabyte, random);
  await Promise.all([...copying, closed, files.copy(late.copy), files.close()]);
  for (const one of [...copies, late]) expectThere(one);
  if (process.platform === 'linux') expect(opened()).toBe(0);
});

test.runIf(process.platform === 'linux')('where memory for files is full, the calling thread copies', async () => {
  const folder = temporaryFolder();
  const files = new TransferFiles(folder);
  // Whatever is written to what takes the files' places finds it full.
  for (const fd of readdirSync('/proc/self/fd').filter((one) => isOf(folder, one)).map(Number)) {
    closeSync(fd);
    expect(openSync('/dev/full', 'r+')).toBe(fd);
    expect(() => writeSync(fd, 'x')).toThrow('ENOSPC');
  }
  const one = anyCopy(5 * megabyte, seededRandom(2));
  await files.copy(one.copy);
  expectThere(one);
  await files.close();
});

function isOf(folder: string, fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
  } catch {
    return false;
  }
}
