/**
 * Brings what lookups asked for from the store to the GPU: vectors and their places, for the scatter kernel. While a step
 * waits, one layer's arrivals travel alone; what later steps wait for travels for many layers at once.
 */
import type { Device } from '../../device/device.ts';
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

export class Arrivals {
  /** [arrival][2][words] u32. */
  readonly vectors: GPUBuffer;
  /** [range] of (first arrival, arrivals), then [arrival] of (kvHead · slots + slot, token). */
  readonly places: GPUBuffer;
  readonly #device: Device;
  readonly #shape: ArrivalsShape;
  /** The same on the CPU, filled before they are sent. */
  readonly #vectorWords: Uint32Array<ArrayBuffer>;
  readonly #placeWords: Uint32Array<ArrayBuffer>;
  readonly #tokens: Uint32Array<ArrayBuffer>;
  /** Arrivals that are filled in and not sent. */
  #count = 0;
  /** Lone arrivals that the GPU knows of. */
  #sentAlone = -1;

  constructor(device: Device, shape: ArrivalsShape) {
    const { maxArrivals, words } = shape;
    this.#device = device;
    this.#shape = shape;
    this.#vectorWords = new Uint32Array(2 * words * maxArrivals);
    this.#placeWords = new Uint32Array(2 * (firstPlace + maxArrivals));
    this.#tokens = new Uint32Array(maxArrivals);
    this.vectors = device.memory.storage('activations', 'arrivals', this.#vectorWords.byteLength);
    this.places = device.memory.storage('activations', 'arrival places', this.#placeWords.byteLength);
  }

  /** Sends what one layer asked for, but for the last `scatter`, which the caller encodes into its own submission. */
  async deliver(store: FarStore, layer: number, requests: LayerRequests, scatter: () => void): Promise<void> {
    this.#count = 0;
    await this.#fill(store, layer, requests, () => {
      this.#sendAlone();
      scatter();
    });
    this.#sendAlone();
  }

  /** Sends what several layers asked for; `scatter` gets the layers whose arrivals are there. */
  async deliverAll(store: FarStore, layers: readonly LayerRequests[], scatter: (layers: readonly number[]) => void): Promise<void> {
    this.#count = 0;
    let sending: number[] = [];
    let first = 0;
    const send = (layer: number): void => {
      if (this.#count > first) sending.push(this.#endRange(layer, first));
      if (sending.length > 0) {
        this.#send(0);
        scatter(sending);
      }
      sending = [];
      first = 0;
    };
    for (const [layer, requests] of layers.entries()) {
      first = this.#count;
      await this.#fill(store, layer, requests, () => send(layer));
      if (this.#count > first) sending.push(this.#endRange(layer, first));
    }
    first = this.#count;
    send(layers.length);
  }

  free(): void {
    for (const buffer of [this.vectors, this.places]) this.#device.memory.free(buffer);
  }

  /** Appends a layer's vectors and places; calls `full` where there is no more room, which begins anew. */
  async #fill(store: FarStore, layer: number, requests: LayerRequests, full: () => void): Promise<void> {
    const { slots, words, maxArrivals } = this.#shape;
    for (let kvHead = 0; kvHead < requests.kvHeads; kvHead++) {
      const requested = requests.requested(kvHead);
      for (let done = 0; done < requested; ) {
        if (this.#count === maxArrivals) {
          full();
          this.#count = 0;
        }
        const some = Math.min(requested - done, maxArrivals - this.#count);
        for (let i = 0; i < some; i++) {
          const token = requests.token(kvHead, done + i);
          const place = 2 * (firstPlace + this.#count + i);
          this.#tokens[i] = token;
          this.#placeWords[place] = kvHead * slots + requests.slot(kvHead, done + i);
          this.#placeWords[place + 1] = token;
        }
        await store.gather(layer, kvHead, this.#tokens.subarray(0, some), this.#vectorWords, 2 * words * this.#count);
        done += some;
        this.#count += some;
      }
    }
  }

  #endRange(range: number, first: number): number {
    this.#placeWords.set([first, this.#count - first], 2 * range);
    return range;
  }

  #sendAlone(): void {
    if (this.#count === 0 && this.#sentAlone === 0) return;
    this.#sentAlone = this.#count;
    this.#endRange(loneRange, 0);
    this.#send(loneRange);
  }

  /** Sends the ranges from `firstRange` on, and all that is filled in. */
  #send(firstRange: number): void {
    const { queue } = this.#device.gpu;
    queue.writeBuffer(this.places, 8 * firstRange, this.#placeWords, 2 * firstRange, 2 * (firstPlace - firstRange + this.#count));
    if (this.#count > 0) queue.writeBuffer(this.vectors, 0, this.#vectorWords, 0, 2 * this.#shape.words * this.#count);
  }
}
