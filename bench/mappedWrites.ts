/**
 * How fast the processor fills mapped memory that the GPU copies from: by one thread from shared memory, and by reads of a
 * file in the page cache, several at once. Each piece is then copied by the GPU, so that it has been there in earnest.
 *
 *     node dist/bench/mappedWrites.js [--folder /dev/shm] [--megabytes 512] [--piece-kilobytes 2048] [--rounds 5]
 *
 * JSON lines, medians. `written` is what threads that fill a file from shared memory reach: one of them, and several at once to
 * one file and to a file each.
 */
import { closeSync, mkdtempSync, openSync, read, rmSync, write, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UploadRing } from '../engine/device/uploadRing.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    megabytes: { type: 'string', default: '512' },
    'piece-kilobytes': { type: 'string', default: '2048' },
    rounds: { type: 'string', default: '5' },
  },
});
const sizeBytes = Number(values.megabytes) * 2 ** 20;
const pieceBytes = Number(values['piece-kilobytes']) * 1024;
const buffersAtOnce = 8;
const device = await openAdapter({ boundsChecks: false });
const shared = new Uint8Array(new SharedArrayBuffer(sizeBytes)).fill(1);
const folder = mkdtempSync(join(values.folder, 'longleaf-mapped-'));
const file = openSync(join(folder, 'file'), 'w+', 0o600);
const ownFiles = Array.from({ length: buffersAtOnce }, (_, i) => openSync(join(folder, `file ${i}`), 'w+', 0o600));
const target = device.memory.storage('activations', 'target', pieceBytes);
const ring = new UploadRing(device, { label: 'mapped', sizeBytes: pieceBytes, count: buffersAtOnce });

function readInto(bytes: Uint8Array, offsetBytes: number): Promise<void> {
  return new Promise((resolve, reject) => read(file, bytes, 0, bytes.length, offsetBytes, (error, count) => (error || count < bytes.length ? reject(error ?? new RangeError('a short read')) : resolve())));
}

/** Seconds for all pieces, `atOnce` of them under way. */
async function fillAll(atOnce: number, fill: (bytes: Uint8Array, offsetBytes: number) => Promise<void> | void): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < sizeBytes) {
      const offsetBytes = next;
      next += pieceBytes;
      const upload = await ring.fill(async (words) => fill(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), offsetBytes));
      const encoder = device.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(upload.buffer, 0, target, 0, pieceBytes);
      device.gpu.queue.submit([encoder.finish()]);
      upload.release();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await device.finished();
  return (performance.now() - startedMs) / 1000;
}

/** Seconds to write everything, `atOnce` pieces under way: to where they lie in one file, or each thread again and again over its own. */
async function writeAll(atOnce: number, own: boolean): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const worker = async (_: unknown, index: number): Promise<void> => {
    while (next < sizeBytes) {
      const at = next;
      next += pieceBytes;
      await new Promise<void>((resolve, reject) => write(own ? ownFiles[index] : file, shared, at, pieceBytes, own ? 0 : at, (error, count) => (error || count < pieceBytes ? reject(error ?? new RangeError('a short write')) : resolve())));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (performance.now() - startedMs) / 1000;
}

const ways: Record<string, () => Promise<number> | number> = {
  written: () => {
    const startedMs = performance.now();
    for (let at = 0; at < sizeBytes; at += pieceBytes) writeSync(file, shared, at, pieceBytes, at);
    return (performance.now() - startedMs) / 1000;
  },
  ...Object.fromEntries([4, 8].flatMap((atOnce) => [false, true].map((own) => [`${atOnce} writes at once, ${own ? 'a file each' : 'one file'}`, () => writeAll(atOnce, own)]))),
  'set by one thread': () => fillAll(2, (bytes, at) => bytes.set(shared.subarray(at, at + pieceBytes))),
  ...Object.fromEntries([1, 2, 4, 8].map((atOnce) => [`${atOnce} reads at once`, () => fillAll(atOnce, readInto)])),
};
const seconds = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, way] of Object.entries(ways)) {
    const took = await way();
    if (round > 0) seconds.get(name)?.push(took);
  }
}
for (const [way, took] of seconds) {
  console.log(JSON.stringify({ bench: 'mappedWrites', adapter: device.facts.name, folder: values.folder, pieceBytes, threadPool: process.env['UV_THREADPOOL_SIZE'] ?? '4', way, gigabytesPerSecond: Math.round(sizeBytes / median(took) / 1e7) / 100 }));
}
for (const one of [file, ...ownFiles]) closeSync(one);
rmSync(folder, { recursive: true });
process.exit(0);
