/** Commands that gather pieces of buffers into one staging buffer, from where they go to many places. */
import type { Device } from '../device/device.ts';
import type { BufferRange } from '../kv/tiers/indexRanges.ts';

/** After so many bytes, a fraction of a millisecond, others have their turn: whoever copies out feeds the GPU as well. */
const bytesAtOnce = 2 ** 20;

/** A part whose memory is taken when its first bytes come: that of a whole chunk at once would take tens of milliseconds. */
export class PartRoom {
  readonly name: string;
  readonly sizeBytes: number;
  #bytes: Uint8Array<ArrayBuffer> | null = null;

  constructor(name: string, sizeBytes: number) {
    this.name = name;
    this.sizeBytes = sizeBytes;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= new Uint8Array(this.sizeBytes));
  }
}

/** A piece of a buffer that goes to `to` in the part. */
interface Piece extends BufferRange {
  part: PartRoom;
  to: number;
}

/** Pieces that are copied one after the other, in any order, after something was computed. */
interface Step {
  compute: { write: () => void; encode: (pass: GPUComputePassEncoder) => void } | null;
  pieces: Piece[];
}

export class Copies {
  sizeBytes = 0;
  readonly #device: Device;
  readonly #steps: Step[] = [{ compute: null, pieces: [] }];

  constructor(device: Device) {
    this.#device = device;
  }

  add(range: BufferRange, part: PartRoom, to: number): void {
    this.#steps[this.#steps.length - 1].pieces.push({ ...range, part, to });
    this.sizeBytes += range.sizeBytes;
  }

  /** Something to compute before the copies that are added next: `write` sets the numbers it reads. */
  compute(write: () => void, encode: (pass: GPUComputePassEncoder) => void): void {
    this.#steps.push({ compute: { write, encode }, pieces: [] });
  }

  /** Queues everything at once; resolves when the parts have it. */
  async finish(take: (sizeBytes: number) => GPUBuffer, giveBack: (buffer: GPUBuffer) => void): Promise<void> {
    if (this.sizeBytes === 0) return;
    const { gpu } = this.#device;
    const staging = take(this.sizeBytes);
    let encoder = gpu.createCommandEncoder();
    let end = 0;
    const placed: { piece: Piece; from: number }[] = [];
    for (const { compute, pieces } of this.#steps) {
      if (compute) {
        // Numbers take effect for what is submitted later.
        gpu.queue.submit([encoder.finish()]);
        compute.write();
        encoder = gpu.createCommandEncoder();
        const pass = encoder.beginComputePass({ label: 'pack' });
        compute.encode(pass);
        pass.end();
      }
      for (const run of runsOf(pieces)) {
        const [{ buffer, offsetBytes }] = run;
        const begin = end;
        for (const piece of run) {
          placed.push({ piece, from: end });
          end += piece.sizeBytes;
        }
        encoder.copyBufferToBuffer(buffer, offsetBytes, staging, begin, end - begin);
      }
    }
    gpu.queue.submit([encoder.finish()]);
    const bytes = new Uint8Array(await this.#device.mapped(staging, staging.mapAsync(0x01 /* READ */, 0, this.sizeBytes), this.sizeBytes));
    let sinceTurn = 0;
    for (const { piece, from } of placed) {
      piece.part.bytes.set(bytes.subarray(from, from + piece.sizeBytes), piece.to);
      sinceTurn += piece.sizeBytes;
      if (sinceTurn < bytesAtOnce) continue;
      await this.#device.waiter.turn();
      sinceTurn = 0;
    }
    staging.unmap();
    giveBack(staging);
  }
}

/** Pieces that lie one behind the other in their buffer are copied at once: each command takes the calling thread microseconds. */
function runsOf(pieces: readonly Piece[]): Piece[][] {
  const byBuffer = new Map<GPUBuffer, Piece[]>();
  for (const piece of pieces) {
    const ofBuffer = byBuffer.get(piece.buffer);
    if (ofBuffer) ofBuffer.push(piece);
    else byBuffer.set(piece.buffer, [piece]);
  }
  const runs: Piece[][] = [];
  for (const ofBuffer of byBuffer.values()) {
    ofBuffer.sort((a, b) => a.offsetBytes - b.offsetBytes);
    let last: Piece | null = null;
    for (const piece of ofBuffer) {
      if (last && last.offsetBytes + last.sizeBytes === piece.offsetBytes) runs[runs.length - 1].push(piece);
      else runs.push([piece]);
      last = piece;
    }
  }
  return runs;
}
