/** What the adapter reaches, measured: the roof that kernels are compared with. */
import type { Device } from './device.ts';
import { Readback } from './readback.ts';

const copyBytes = { gpu: 256 << 20, software: 32 << 20 };
/** In one submission: a GPU copies for less time than a submission takes to be made and waited for. */
const copies = { gpu: 16, software: 1 };
const rounds = 5;

export interface Bandwidth {
  /** Reading plus writing, device to device, in 10⁹ bytes a second. */
  copyGigabytesPerSecond: number;
  /** Through `writeBuffer`, in 10⁹ bytes a second. */
  uploadGigabytesPerSecond: number;
  /** A submission and the read-back of 256 bytes, best of several. */
  readbackMs: number;
}

export async function measureBandwidth(device: Device): Promise<Bandwidth> {
  const sizeBytes = Math.min(copyBytes[device.facts.kind], device.gpu.limits.maxBufferSize);
  const [source, target] = await device.memory.checked('Room to measure the bandwidth', () =>
    ['source', 'target'].map((label) => device.memory.storage('staging', `bandwidth ${label}`, sizeBytes)),
  );
  const bytes = new Uint8Array(sizeBytes);
  const uploadMs = await best(async () => {
    device.gpu.queue.writeBuffer(source, 0, bytes);
    await device.finished();
  });
  const copyMs = await best(async () => {
    const encoder = device.gpu.createCommandEncoder();
    for (let copy = 0; copy < copies[device.facts.kind]; copy++) encoder.copyBufferToBuffer(source, 0, target, 0, sizeBytes);
    device.gpu.queue.submit([encoder.finish()]);
    await device.finished();
  });
  const readback = new Readback(device);
  const readbackMs = await best(async () => void (await readback.read(source, 0, 256)));
  readback.free();
  for (const buffer of [source, target]) device.memory.free(buffer);
  return {
    copyGigabytesPerSecond: (2 * sizeBytes * copies[device.facts.kind]) / copyMs / 1e6,
    uploadGigabytesPerSecond: sizeBytes / uploadMs / 1e6,
    readbackMs,
  };
}

async function best(work: () => Promise<void>): Promise<number> {
  let bestMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await work();
    bestMs = Math.min(bestMs, performance.now() - started);
  }
  return bestMs;
}
