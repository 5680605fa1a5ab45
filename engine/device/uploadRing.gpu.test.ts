import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { openTestDevice } from '../testing/device.ts';
import type { Device } from './device.ts';
import { Readback } from './readback.ts';
import { UploadRing } from './uploadRing.ts';

const words = 512;
let device: Device;
let readback: Readback;
beforeAll(async () => {
  device = await openTestDevice();
  readback = new Readback(device);
});
afterAll(() => device.destroy());

test('many uploads through few buffers arrive whole and in their order, whatever their writers do', async () => {
  const uploads = 40;
  const stagingBytesBefore = device.memory.report().stagingBytes;
  const ring = new UploadRing(device, { label: 'test', sizeBytes: 4 * words, count: 3 });
  const target = device.memory.storage('activations', 'test', 4 * words * uploads);
  const random = seededRandom(3);
  const fills = Array.from({ length: uploads }, (_, number) =>
    ring.fill(async (room) => {
      if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, 3 * random()));
      if (number % 7 === 3) throw new Error(`writer ${number} failed`);
      room.fill(number + 1);
    }),
  );
  for (const fill of fills) fill.catch(() => undefined);
  for (const [number, fill] of fills.entries()) {
    if (number % 7 === 3) {
      await expect(fill).rejects.toThrow(`writer ${number} failed`);
      continue;
    }
    const upload = await fill;
    if (number % 5 !== 0) {
      const encoder = device.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(upload.buffer, 0, target, 4 * words * number, 4 * words);
      device.gpu.queue.submit([encoder.finish()]);
    }
    upload.release();
  }
  const arrived = await readback.words(target, 0, words * uploads);
  for (let number = 0; number < uploads; number++) {
    const expected = number % 7 === 3 || number % 5 === 0 ? 0 : number + 1;
    expect(arrived.subarray(number * words, (number + 1) * words).every((word) => word === expected)).toBe(true);
  }
  readback.free();
  ring.free();
  device.memory.free(target);
  expect(device.memory.report().stagingBytes).toBe(stagingBytesBefore);
});

test('a limit of the ledger is an assertion: what would pass it throws and takes nothing', () => {
  const { kvBytes } = device.memory.report();
  device.memory.limit('kv', kvBytes + 1024);
  const first = device.memory.storage('kv', 'fits', 1000);
  expect(() => device.memory.storage('kv', 'too much', 32)).toThrow(/too much would bring what kv takes on the GPU from \d+ to \d+ bytes, beyond its limit of \d+/);
  expect(device.memory.report().kvBytes).toBe(kvBytes + 1008);
  const other = device.memory.storage('activations', 'another owner', 4096);
  device.memory.limit('kv', null);
  const second = device.memory.storage('kv', 'without a limit', 4096);
  for (const buffer of [first, second, other]) device.memory.free(buffer);
});
