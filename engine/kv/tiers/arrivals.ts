/** Brings what lookups asked for from the store to the GPU: vectors and their places, for the scatter kernel. */
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

export class Arrivals {
  /** [arrival][2][words] u32. */
  readonly vectors: GPUBuffer;
  /** First (arrivals, 0), then [arrival] of (kvHead · slots + slot, token). */
  readonly places: GPUBuffer;
  readonly #device: Device;
  readonly #shape: ArrivalsShape;
  /** The same on the CPU, filled before they are sent. */
  readonly #vectorWords: Uint32Array<ArrayBuffer>;
  readonly #placeWords: Uint32Array<ArrayBuffer>;
  readonly #tokens: Uint32Array<ArrayBuffer>;
  /** Arrivals that the GPU knows of. */
  #sent = -1;

  constructor(device: Device, shape: ArrivalsShape) {
    const { maxArrivals, words } = shape;
    this.#device = device;
    this.#shape = shape;
    this.#vectorWords = new Uint32Array(2 * words * maxArrivals);
    this.#placeWords = new Uint32Array(2 * (maxArrivals + 1));
    this.#tokens = new Uint32Array(maxArrivals);
    this.vectors = device.memory.storage('activations', 'arrivals', this.#vectorWords.byteLength);
    this.places = device.memory.storage('activations', 'arrival places', this.#placeWords.byteLength);
  }

  /** Puts everything in place but for the last `scatter`, which the caller encodes into its own submission. */
  async deliver(store: FarStore, layer: number, requests: LayerRequests, scatter: () => void): Promise<void> {
    let count = 0;
    for (let kvHead = 0; kvHead < requests.kvHeads; kvHead++) {
      const requested = requests.requested(kvHead);
      for (let first = 0; first < requested; ) {
        if (count === this.#shape.maxArrivals) {
          this.#send(count);
          scatter();
          count = 0;
        }
        const some = Math.min(requested - first, this.#shape.maxArrivals - count);
        await this.#gather(store, layer, requests, { kvHead, first, some, count });
        first += some;
        count += some;
      }
    }
    this.#send(count);
  }

  free(): void {
    for (const buffer of [this.vectors, this.places]) this.#device.memory.free(buffer);
  }

  async #gather(store: FarStore, layer: number, requests: LayerRequests, { kvHead, first, some, count }: { kvHead: number; first: number; some: number; count: number }): Promise<void> {
    const { slots, words } = this.#shape;
    for (let i = 0; i < some; i++) {
      const token = requests.token(kvHead, first + i);
      this.#tokens[i] = token;
      this.#placeWords[2 * (count + i + 1)] = kvHead * slots + requests.slot(kvHead, first + i);
      this.#placeWords[2 * (count + i + 1) + 1] = token;
    }
    await store.gather(layer, kvHead, this.#tokens.subarray(0, some), this.#vectorWords, 2 * words * count);
  }

  #send(count: number): void {
    if (count === 0 && this.#sent === 0) return;
    this.#sent = count;
    this.#placeWords[0] = count;
    const { queue } = this.#device.gpu;
    queue.writeBuffer(this.places, 0, this.#placeWords, 0, 2 * (count + 1));
    if (count > 0) queue.writeBuffer(this.vectors, 0, this.#vectorWords, 0, 2 * this.#shape.words * count);
  }
}
