/**
 * Brings what lookups asked for from the store to the GPU: vectors and their places, for the scatter kernel. While a step
 * waits, one layer's arrivals travel alone; what later steps wait for travels for many layers at once. The CPU writes
 * each vector once, into mapped memory that the GPU copies from.
 */
import type { Device } from '../../device/device.ts';
import { type Upload, UploadRing } from '../../device/uploadRing.ts';
import type { FarStore } from './farStore.ts';
import type { LayerRequests } from './requestReader.ts';

export interface ArrivalsShape {
  /** Vectors, keys and values counted once, that are delivered at once. */
  maxArrivals: number;
  /** Words of a stored vector. */
  words: number;
  slots: number;
}

const mostLayers = 255;
/** Which of the ranges in `places` is that of a layer's lone arrivals; the others are those of the layers. */
export const loneRange = mostLayers;
/** Where the arrivals' places begin, behind the ranges. */
export const firstPlace = mostLayers + 1;
/** Loads that are on their way at once: what a step missed is sent while the GPU still runs the next one. */
const loadsUnderWay = 8;

/** What a layer's heads asked for, and how much of it is in loads already. */
interface Waiting {
  layer: number;
  requests: LayerRequests;
  kvHead: number;
  done: number;
}

interface Load {
  upload: Upload;
  arrivals: number;
  /** Layers with arrivals in it. */
  layers: number[];
}

export class Arrivals {
  /** [arrival][2][words] u32. */
  readonly vectors: GPUBuffer;
  /** [range] of (first arrival, arrivals), then [arrival] of (kvHead · slots + slot, token). */
  readonly places: GPUBuffer;
  readonly #device: Device;
  readonly #shape: ArrivalsShape;
  /** Of `places`, then `vectors`; made when something is missed for the first time. */
  #ring: UploadRing | null = null;
  readonly #tokens: Uint32Array;
  /** Whether the GPU's lone range names arrivals, which are in their slots by now. */
  #isStale = false;

  constructor(device: Device, shape: ArrivalsShape) {
    const { maxArrivals, words } = shape;
    this.#device = device;
    this.#shape = shape;
    this.#tokens = new Uint32Array(maxArrivals);
    this.vectors = device.memory.storage('activations', 'arrivals', 8 * words * maxArrivals);
    this.places = device.memory.storage('activations', 'arrival places', 8 * (firstPlace + maxArrivals));
  }

  /** Sends what one layer asked for, but for the last `scatter`, which the caller encodes into its own submission. */
  async deliver(store: FarStore, layer: number, requests: LayerRequests, scatter: () => void): Promise<void> {
    const waiting = waitingOf([{ layer, requests }]);
    while (waiting.length > 0) {
      this.#send(await this.#load(store, waiting, () => loneRange), loneRange);
      if (waiting.length > 0) scatter();
    }
    if (requests.mostRequested > 0 || !this.#isStale) return;
    this.#device.gpu.queue.writeBuffer(this.places, 8 * loneRange, new Uint32Array(2));
    this.#isStale = false;
  }

  /** Sends what several layers asked for; `scatter` gets the layers whose arrivals are there. */
  async deliverAll(store: FarStore, layers: readonly LayerRequests[], scatter: (layers: readonly number[]) => void): Promise<void> {
    const waiting = waitingOf(layers.map((requests, layer) => ({ layer, requests })));
    while (waiting.length > 0) {
      const load = await this.#load(store, waiting, (layer) => layer);
      this.#send(load, 0);
      scatter(load.layers);
    }
  }

  free(): void {
    for (const buffer of [this.vectors, this.places]) this.#device.memory.free(buffer);
    this.#ring?.free();
  }

  /** Fills a mapped buffer with the first of what is waiting, as far as there is room. */
  async #load(store: FarStore, waiting: Waiting[], rangeOf: (layer: number) => number): Promise<Load> {
    const { slots, words, maxArrivals } = this.#shape;
    const firstVector = 2 * (firstPlace + maxArrivals);
    this.#ring ??= new UploadRing(this.#device, { label: 'arrivals', sizeBytes: 4 * (firstVector + 2 * words * maxArrivals), count: loadsUnderWay });
    const layers: number[] = [];
    let arrivals = 0;
    const upload = await this.#ring.fill(async (target) => {
      let first = 0;
      while (waiting.length > 0 && arrivals < maxArrivals) {
        const [one] = waiting;
        const { layer, requests, kvHead, done } = one;
        const some = Math.min(requests.requested(kvHead) - done, maxArrivals - arrivals);
        for (let i = 0; i < some; i++) {
          const token = requests.token(kvHead, done + i);
          const place = 2 * (firstPlace + arrivals + i);
          this.#tokens[i] = token;
          target[place] = kvHead * slots + requests.slot(kvHead, done + i);
          target[place + 1] = token;
        }
        await store.gather(layer, kvHead, this.#tokens.subarray(0, some), target, firstVector + 2 * words * arrivals);
        if (layers.at(-1) !== layer) {
          layers.push(layer);
          first = arrivals;
        }
        arrivals += some;
        target[2 * rangeOf(layer)] = first;
        target[2 * rangeOf(layer) + 1] = arrivals - first;
        if (done + some === requests.requested(kvHead)) waiting.shift();
        else one.done += some;
      }
    });
    return { upload, arrivals, layers };
  }

  /** Sends the ranges from `firstRange` on, and all arrivals. */
  #send({ upload, arrivals }: Load, firstRange: number): void {
    const { words, maxArrivals } = this.#shape;
    const encoder = this.#device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(upload.buffer, 8 * firstRange, this.places, 8 * firstRange, 8 * (firstPlace - firstRange + arrivals));
    encoder.copyBufferToBuffer(upload.buffer, 8 * (firstPlace + maxArrivals), this.vectors, 0, 8 * words * arrivals);
    this.#device.gpu.queue.submit([encoder.finish()]);
    upload.release();
    this.#isStale = true;
  }
}

/** Of every head that asked for something, in the order of the layers. */
function waitingOf(layers: readonly { layer: number; requests: LayerRequests }[]): Waiting[] {
  return layers.flatMap(({ layer, requests }) =>
    Array.from({ length: requests.kvHeads }, (_, kvHead) => ({ layer, requests, kvHead, done: 0 })).filter(({ kvHead }) => requests.requested(kvHead) > 0),
  );
}
