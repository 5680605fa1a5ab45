/**
 * Kept bytes on their way into buffers of the GPU: through a few mapped buffers, of which the next ones are filled while
 * the GPU copies from the one before.
 */
import { allSettled } from '../allSettled.ts';
import type { Device } from '../device/device.ts';
import { type Upload, UploadRing } from '../device/uploadRing.ts';
import type { KeptSegment } from '../ports.ts';

/** What goes through one mapped buffer at once. */
export interface Load {
  /** At most `mostLoadBytes`. */
  sizeBytes: number;
  fetch(target: Uint8Array): Promise<void>;
  copies: readonly LoadCopy[];
}

/** From a load's byte `from` on to a buffer; multiples of 4. */
export interface LoadCopy {
  from: number;
  buffer: GPUBuffer;
  to: number;
  sizeBytes: number;
}

/** A stretch of a part, and where it goes: to one buffer after another, `sizeBytes` each. */
export interface KeptPiece {
  segment: KeptSegment;
  part: string;
  offsetBytes: number;
  lengthBytes: number;
  targets: readonly Omit<LoadCopy, 'from'>[];
}

export const mostLoadBytes = 8 * 2 ** 20;
/** Being read, waiting for the GPU, and being copied from. */
const loadsUnderWay = 4;

/** Resolves once all copies are submitted; rejects with the first failure, when nothing is under way any more. */
export async function bring(device: Device, loads: Iterable<Load>): Promise<void> {
  const ring = new UploadRing(device, { label: 'kept', sizeBytes: mostLoadBytes, count: loadsUnderWay });
  const waiting = loads[Symbol.iterator]();
  const coming: Promise<{ load: Load; upload: Upload }>[] = [];
  const beginNext = (): void => {
    const next = waiting.next();
    if (next.done) return;
    const load = next.value;
    const filled = ring.fill((words) => load.fetch(new Uint8Array(words.buffer, words.byteOffset, load.sizeBytes))).then((upload) => ({ load, upload }));
    // Whoever takes it hears of a failure.
    filled.catch(() => undefined);
    coming.push(filled);
  };
  try {
    for (let i = 0; i < loadsUnderWay; i++) beginNext();
    for (let next = coming.shift(); next; next = coming.shift()) {
      const { load, upload } = await next;
      const encoder = device.gpu.createCommandEncoder();
      for (const { from, buffer, to, sizeBytes } of load.copies) encoder.copyBufferToBuffer(upload.buffer, from, buffer, to, sizeBytes);
      device.gpu.queue.submit([encoder.finish()]);
      upload.release();
      beginNext();
    }
  } finally {
    await Promise.allSettled(coming);
    ring.free();
  }
}

/** Pieces of at most `mostLoadBytes` each, as many in a load as have room there. */
export function* loadsOf(pieces: Iterable<KeptPiece>): Generator<Load> {
  let together: KeptPiece[] = [];
  let sizeBytes = 0;
  for (const piece of pieces) {
    if (sizeBytes + piece.lengthBytes > mostLoadBytes) {
      yield loadOf(together, sizeBytes);
      together = [];
      sizeBytes = 0;
    }
    together.push(piece);
    sizeBytes += piece.lengthBytes;
  }
  if (together.length > 0) yield loadOf(together, sizeBytes);
}

function loadOf(pieces: readonly KeptPiece[], sizeBytes: number): Load {
  const bySegment = new Map<KeptSegment, { piece: KeptPiece; from: number }[]>();
  const copies: LoadCopy[] = [];
  let from = 0;
  for (const piece of pieces) {
    const some = bySegment.get(piece.segment) ?? [];
    some.push({ piece, from });
    bySegment.set(piece.segment, some);
    let at = from;
    for (const target of piece.targets) {
      copies.push({ ...target, from: at });
      at += target.sizeBytes;
    }
    from += piece.lengthBytes;
  }
  const fetch = async (target: Uint8Array): Promise<void> => {
    const reads = [...bySegment].map(async ([segment, some]) => {
      const ranges = some.map(({ piece: { part, offsetBytes, lengthBytes } }) => ({ part, offsetBytes, lengthBytes }));
      const targets = some.map((one) => target.subarray(one.from, one.from + one.piece.lengthBytes));
      if (segment.readInto) return segment.readInto(ranges, targets);
      for (const [index, bytes] of (await segment.read(ranges)).entries()) targets[index].set(bytes);
    });
    // The memory is taken away when this rejects: nobody may be writing to it.
    await allSettled(reads);
  };
  return { sizeBytes, fetch, copies };
}
