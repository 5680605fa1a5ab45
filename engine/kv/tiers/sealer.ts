/**
 * Moves whole segments out of the layers' rings: packed on the GPU, then read back into the store while the GPU goes on.
 * Several may travel at once, so reading waits only when all their buffers are under way.
 */
import type { Device } from '../../device/device.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { FarLayer } from './farLayer.ts';
import type { FarScratch } from './farScratch.ts';
import type { FarStore } from './farStore.ts';
import type { TierPlan } from './plan.ts';

/** Staging memory for segments on their way, as far as two of them fit: whoever seals more at once waits for the first to be in the store. */
const outgoingBytes = 128 * 2 ** 20;
const maxOutgoing = 8;

export class Sealer {
  readonly #device: Device;
  readonly #plan: TierPlan;
  readonly #scratch: FarScratch;
  readonly #store: FarStore;
  readonly #layers: readonly FarLayer[];
  /** When each segment is in the store; earlier ones than the first are. */
  readonly #arrivals = new Map<number, Promise<void>>();
  /** Buffers that no segment is in, or will be soon: each resolves when it can be written again. */
  readonly #outgoing: Promise<GPUBuffer>[] = [];
  readonly #buffers: GPUBuffer[] = [];
  /** Segments enter the store in their order. */
  #last: Promise<void> = Promise.resolve();

  constructor(device: Device, plan: TierPlan, scratch: FarScratch, store: FarStore, layers: readonly FarLayer[]) {
    this.#device = device;
    this.#plan = plan;
    this.#scratch = scratch;
    this.#store = store;
    this.#layers = layers;
  }

  /** Submits what packs a segment of every layer; its way to the store goes on behind. */
  async seal(segment: number): Promise<void> {
    const { segmentTokens, kvHeads } = this.#plan.layout;
    const { gpu } = this.#device;
    const segmentBytes = 4 * this.#store.segmentWords;
    const outgoing = await this.#take(segmentBytes * this.#layers.length);
    const span = { position: segment * segmentTokens, tokens: segmentTokens, stride: segmentTokens, first: 0 };
    for (const { pack } of this.#layers) for (const move of Object.values(pack)) move.write(span);
    const encoder = gpu.createCommandEncoder();
    for (const [number, layer] of this.#layers.entries()) {
      const pass = encoder.beginComputePass({ label: 'seal' });
      layer.pack.keys.encode(pass);
      layer.pack.values.encode(pass);
      pass.end();
      encoder.copyBufferToBuffer(this.#scratch.packed, 0, outgoing, number * segmentBytes, segmentBytes);
      if (segment === 0) this.#pinSinks(encoder, layer, segmentBytes / 2 / kvHeads);
    }
    gpu.queue.submit([encoder.finish()]);
    const arrival = this.#receive(this.#last, outgoing);
    // Whoever waits for the segment hears of a failure.
    arrival.catch(() => undefined);
    this.#last = arrival;
    this.#arrivals.set(segment, arrival);
    const free = arrival.then(() => outgoing);
    free.catch(() => undefined);
    this.#outgoing.push(free);
  }

  /** Waits until the segments before `segments` are in the store. */
  async arrived(segments: number): Promise<void> {
    for (const [segment, arrival] of this.#arrivals) {
      if (segment >= segments) continue;
      await arrival;
      this.#arrivals.delete(segment);
    }
  }

  /** Waits until everything sealed is in the store. */
  settled(): Promise<void> {
    return this.arrived(Infinity);
  }

  free(): void {
    for (const buffer of this.#buffers) this.#device.memory.free(buffer);
  }

  async #receive(before: Promise<void>, outgoing: GPUBuffer): Promise<void> {
    const ready = outgoing.mapAsync(0x01 /* READ */);
    ready.catch(() => undefined);
    await before;
    await this.#store.appendAll(new Uint32Array(await this.#device.mapped(outgoing, ready)));
    outgoing.unmap();
  }

  async #take(sizeBytes: number): Promise<GPUBuffer> {
    const limit = Math.max(2, Math.min(maxOutgoing, Math.floor(outgoingBytes / sizeBytes)));
    const oldest = this.#buffers.length >= limit ? this.#outgoing.shift() : undefined;
    if (oldest) return oldest;
    const buffer = this.#device.memory.allocate('staging', 'sealed segments', sizeBytes, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** The first tokens stay in the first slots of every head. */
  #pinSinks(encoder: GPUCommandEncoder, { memory }: FarLayer, headBytes: number): void {
    const { kvHeads } = this.#plan.layout;
    const words = this.#store.words;
    const sinkBytes = 4 * sinkTokens * words;
    const slotBytes = 4 * this.#plan.slots * words;
    for (let head = 0; head < kvHeads; head++) {
      encoder.copyBufferToBuffer(this.#scratch.packed, head * headBytes, memory.slotKeys, head * slotBytes, sinkBytes);
      encoder.copyBufferToBuffer(this.#scratch.packed, (kvHeads + head) * headBytes, memory.slotValues, head * slotBytes, sinkBytes);
    }
  }
}
