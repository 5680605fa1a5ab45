/** How fast weights were brought to the GPU, beside what bounds it here: reading the file, and copying to the GPU. */
import type { Device } from '../device/device.ts';
import { UploadRing } from '../device/uploadRing.ts';
import type { WeightSource } from '../ports.ts';

/** As loading does it. */
const pieceBytes = 8 * 1024 * 1024;
const piecesAtOnce = 4;
const mostBytes = { gpu: 1 << 30, software: 1 << 28 };

export interface LoadSpeed {
  /** Of the file's tensors, from the first read to the last repacked weight. */
  weightBytes: number;
  weightsMs: number;
  loadBytesPerSecond: number;
  /** Reading the same file again, which may then lie in the system's cache, without doing anything with it. */
  readBytesPerSecond: number;
  /** From memory through mapped buffers into one on the device. */
  uploadBytesPerSecond: number;
  /** Of the slower of the two. */
  shareOfSlower: number;
}

export async function measureLoadSpeed(device: Device, source: WeightSource, { weightBytes, weightsMs }: { weightBytes: number; weightsMs: number }): Promise<LoadSpeed> {
  const readBytesPerSecond = await measureReading(device, source);
  const uploadBytesPerSecond = await measureUpload(device);
  const loadBytesPerSecond = (1000 * weightBytes) / weightsMs;
  const shareOfSlower = loadBytesPerSecond / Math.min(readBytesPerSecond, uploadBytesPerSecond);
  return { weightBytes, weightsMs, loadBytesPerSecond, readBytesPerSecond, uploadBytesPerSecond, shareOfSlower };
}

/** The end of the file, several pieces at once into reused memory. */
async function measureReading(device: Device, source: WeightSource): Promise<number> {
  const totalBytes = Math.min(source.sizeBytes, mostBytes[device.facts.kind]);
  const firstByte = source.sizeBytes - totalBytes;
  let next = 0;
  const readPieces = async (): Promise<void> => {
    const piece = new Uint8Array(Math.min(pieceBytes, totalBytes));
    while (next < totalBytes) {
      const offset = next;
      const size = Math.min(piece.length, totalBytes - offset);
      next += size;
      if (source.readInto) await source.readInto(firstByte + offset, piece.subarray(0, size));
      else await source.read(firstByte + offset, size);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: piecesAtOnce }, readPieces));
  return (1000 * totalBytes) / (performance.now() - startMs);
}

async function measureUpload(device: Device): Promise<number> {
  const totalBytes = mostBytes[device.facts.kind];
  const pieces = totalBytes / pieceBytes;
  const ring = new UploadRing(device, { label: 'upload speed', sizeBytes: pieceBytes, count: piecesAtOnce });
  const target = device.memory.storage('staging', 'upload speed', pieceBytes);
  const values = new Uint32Array(pieceBytes / 4).fill(1);
  const upload = async (): Promise<void> => {
    const { buffer, release } = await ring.fill(async (words) => words.set(values));
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, target, 0, pieceBytes);
    device.gpu.queue.submit([encoder.finish()]);
    release();
  };
  const run = async (count: number): Promise<number> => {
    const startMs = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: piecesAtOnce }, async () => {
        while (next++ < count) await upload();
      }),
    );
    await device.finished();
    return performance.now() - startMs;
  };
  // The first use of a buffer makes its pages.
  await run(2 * piecesAtOnce);
  const ms = await run(pieces);
  ring.free();
  device.memory.free(target);
  return (1000 * totalBytes) / ms;
}
