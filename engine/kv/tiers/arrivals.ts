/**
 * Brings what lookups asked for from the store to the GPU: vectors and their places, for the scatter kernel. While a step
 * waits, one layer's arrivals travel alone; what later steps wait for travels for many layers at once. They are written
 * into mapped memory that the GPU copies from; where threads gather them, they do so for the next load meanwhile.
 */
import type { Device } from '../../device/device.ts';
import { type Upload, UploadRing } from '../../device/uploadRing.ts';
import type { FarStore } from './farStore.ts';
import { firstPlace, Gathering, type GatheringShape, type LayerArrivals, loneRange, type Waiting, waitingOf } from './gathering.ts';
import type { AskedByLayer, LayerRequests } from './requestReader.ts';

export { firstPlace, loneRange } from './gathering.ts';

/**
 * Loads that are on their way at once: what a step missed is sent while the GPU still runs the next one, behind which it
 * lets go of them. With fewer than two steps miss, filling them waits for the step, and encoding the next one for that.
 */
const loadsUnderWay = { gpu: 12, software: 4 };
/** Loads that threads gather at once: those of a step that misses a fifth, while the next one is encoded. */
const gatheredAtOnce = 2;

interface Load {
  upload: Upload;
  arrivals: number;
  layers: readonly LayerArrivals[];
}

export class Arrivals {
  /** [arrival][2][words] u32. */
  readonly vectors: GPUBuffer;
  /** [range] of (first arrival, arrivals), then [arrival] of (kvHead · slots + slot, token). */
  readonly places: GPUBuffer;
  readonly #device: Device;
  readonly #shape: GatheringShape;
  /** Of `places`, then `vectors`; made when something is missed for the first time. */
  #ring: UploadRing | null = null;
  readonly #gatherings: Gathering[] = [];
  /** Whether the GPU's lone range names arrivals, which are in their slots by now. */
  #isStale = false;

  constructor(device: Device, shape: GatheringShape) {
    const { maxArrivals, words } = shape;
    this.#device = device;
    this.#shape = shape;
    this.vectors = device.memory.storage('activations', 'arrivals', 8 * words * maxArrivals);
    this.places = device.memory.storage('activations', 'arrival places', 8 * (firstPlace + maxArrivals));
  }

  /** Sends what one layer asked for, but for the last `scatter`, which the caller encodes into its own submission. */
  async deliver(store: FarStore, layer: number, requests: LayerRequests, scatter: () => void): Promise<void> {
    let sent = 0;
    for await (const load of this.#loads(store, waitingOf([{ layer, requests }]), () => loneRange)) {
      // The places of the load before are still to be read.
      if (sent++ > 0) scatter();
      this.#send(load, loneRange);
    }
    if (requests.mostRequested > 0 || !this.#isStale) return;
    this.#device.gpu.queue.writeBuffer(this.places, 8 * loneRange, new Uint32Array(2));
    this.#isStale = false;
  }

  /** Sends what several layers asked for; `scatter` encodes what is done with arrivals, as they come. Threads begin at once; this one looks for them a turn later. */
  async deliverAll(store: FarStore, layers: readonly AskedByLayer[], scatter: (encoder: GPUCommandEncoder, layers: readonly LayerArrivals[]) => void): Promise<void> {
    const waiting = waitingOf(layers);
    for await (const load of this.#loads(store, waiting, (layer) => layer, { patient: true })) this.#send(load, 0, (encoder) => scatter(encoder, load.layers));
  }

  free(): void {
    for (const buffer of [this.vectors, this.places]) this.#device.memory.free(buffer);
    for (const gathering of this.#gatherings.splice(0)) gathering.free();
    this.#ring?.free();
  }

  /** What is waiting, in mapped buffers as they are filled. `patient`: something else is to be done while threads gather. */
  async *#loads(store: FarStore, waiting: Waiting[], rangeOf: (layer: number) => number, { patient = false } = {}): AsyncGenerator<Load> {
    if (waiting.length === 0) return;
    const ring = (this.#ring ??= new UploadRing(this.#device, { label: 'arrivals', sizeBytes: 4 * Gathering.words(this.#shape), count: loadsUnderWay[this.#device.facts.kind] }));
    while (this.#gatherings.length < (store.copies ? gatheredAtOnce : 1)) this.#gatherings.push(new Gathering(this.#shape, store.copies));
    const idle = [...this.#gatherings];
    const begun: Gathering[] = [];
    try {
      while (waiting.length > 0 || begun.length > 0) {
        while (idle.length > 0 && Gathering.isForThreads(waiting, store)) {
          const [next] = idle.splice(0, 1);
          begun.push(next);
          next.begin(store, waiting, rangeOf);
        }
        if (patient && begun.length > 0) await this.#device.waiter.turn();
        const gathering = begun[0] ?? idle[0];
        const upload = await ring.fill((load) => (gathering === begun[0] ? gathering.finish(load, patient ? store.longCopies : null) : gathering.gather(store, waiting, rangeOf, load)));
        const { arrivals, layers } = gathering;
        if (gathering === begun[0]) idle.push(...begun.splice(0, 1));
        yield { upload, arrivals, layers };
      }
    } finally {
      // Before another load begins, none may be left under way.
      for (const gathering of begun) await gathering.settled();
    }
  }

  /** Sends the ranges from `firstRange` on, and all arrivals; `then` may encode what comes next. */
  #send({ upload, arrivals }: Load, firstRange: number, then?: (encoder: GPUCommandEncoder) => void): void {
    const { words, maxArrivals } = this.#shape;
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(upload.buffer, 8 * firstRange, this.places, 8 * firstRange, 8 * (firstPlace - firstRange + arrivals));
    encoder.copyBufferToBuffer(upload.buffer, 8 * (firstPlace + maxArrivals), this.vectors, 0, 8 * words * arrivals);
    then?.(encoder);
    this.#device.gpu.queue.submit([encoder.finish()]);
    upload.release();
    this.#isStale = true;
  }
}
