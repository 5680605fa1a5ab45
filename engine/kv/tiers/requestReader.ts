/**
 * Reads back what lookups ask for, through a ring of mapped buffers: the counts and the first requests of every head
 * come at once; only where a head asks for more than was expected is there a second reading.
 */
import type { Device } from '../../device/device.ts';
import { requestBytes, requestHeadBytes } from './slotTable.ts';

/** What a layer's lookup found and asks for. */
export class LayerRequests {
  readonly kvHeads: number;
  /** As slot_lookup.wgsl leaves them: counts, then requests of all heads in turn. */
  readonly words: Uint32Array;

  constructor(kvHeads: number, words: Uint32Array) {
    this.kvHeads = kvHeads;
    this.words = words;
  }

  /** A copy of what there is in `words`, which may have room for more requests. */
  static copied(kvHeads: number, words: Uint32Array): LayerRequests {
    const { mostRequested } = new LayerRequests(kvHeads, words);
    return new LayerRequests(kvHeads, words.slice(0, 4 * kvHeads + 2 * kvHeads * mostRequested));
  }

  hits(kvHead: number): number {
    return this.words[4 * kvHead];
  }

  requested(kvHead: number): number {
    return this.words[4 * kvHead + 1];
  }

  /** Tokens that were looked up, and that the policy chose. */
  lookedUp(kvHead: number): number {
    return this.words[4 * kvHead + 2];
  }

  chosen(kvHead: number): number {
    return this.words[4 * kvHead + 3];
  }

  /** Requests [first, first + count) of a head: their tokens, and (firstSlot + slot, token) from `place` on. */
  copyTo(kvHead: number, { first, count, tokens, places, place, firstSlot }: { first: number; count: number; tokens: Uint32Array; places: Uint32Array; place: number; firstSlot: number }): void {
    const { kvHeads, words } = this;
    let from = 4 * kvHeads + 2 * (first * kvHeads + kvHead);
    for (let i = 0, to = place; i < count; i++, to += 2, from += 2 * kvHeads) {
      tokens[i] = words[from];
      places[to] = firstSlot + words[from + 1];
      places[to + 1] = words[from];
    }
  }

  sum(of: (kvHead: number) => number): number {
    let sum = 0;
    for (let kvHead = 0; kvHead < this.kvHeads; kvHead++) sum += of.call(this, kvHead);
    return sum;
  }

  get mostRequested(): number {
    let most = 0;
    for (let kvHead = 0; kvHead < this.kvHeads; kvHead++) most = Math.max(most, this.requested(kvHead));
    return most;
  }
}

export interface AskedByLayer {
  layer: number;
  requests: LayerRequests;
}

export interface RequestCopy {
  target: GPUBuffer;
  source: GPUBuffer;
  /** Requests of a head that are in the copy. */
  perHead: number;
}

const fewestRead = 32;

export class RequestReader {
  readonly #device: Device;
  readonly #kvHeads: number;
  readonly #maxRequests: number;
  readonly #idle: GPUBuffer[] = [];
  readonly #all: GPUBuffer[] = [];
  /** Most requests of a head lately. */
  #expected: number;

  constructor(device: Device, { kvHeads, maxRequests }: { kvHeads: number; maxRequests: number }) {
    this.#device = device;
    this.#kvHeads = kvHeads;
    this.#maxRequests = maxRequests;
    this.#expected = fewestRead;
  }

  /** Copies what a layer's lookup has left in `source`; `read` it after the submission. */
  encode(encoder: GPUCommandEncoder, source: GPUBuffer, perHead = Math.min(this.#maxRequests, Math.max(fewestRead, 2 * this.#expected))): RequestCopy {
    const target = this.#idle.pop() ?? this.#allocate();
    encoder.copyBufferToBuffer(source, 0, target, 0, this.#bytes(perHead));
    return { target, source, perHead };
  }

  async read({ target, source, perHead }: RequestCopy): Promise<LayerRequests> {
    const sizeBytes = this.#bytes(perHead);
    const mapped = await this.#device.mapped(target, target.mapAsync(0x01 /* READ */, 0, sizeBytes), sizeBytes);
    const requests = new LayerRequests(this.#kvHeads, new Uint32Array(mapped.slice(0)));
    target.unmap();
    this.#idle.push(target);
    const most = requests.mostRequested;
    // Sinks slowly, so that a quiet layer does not make the next one read twice.
    this.#expected = Math.max(most, Math.floor((7 * this.#expected) / 8));
    if (most <= perHead) return requests;
    const encoder = this.#device.gpu.createCommandEncoder();
    const rest = this.encode(encoder, source, most);
    this.#device.gpu.queue.submit([encoder.finish()]);
    return this.read(rest);
  }

  free(): void {
    for (const buffer of this.#all.splice(0)) this.#device.memory.free(buffer);
    this.#idle.length = 0;
  }

  #bytes(perHead: number): number {
    return this.#kvHeads * (requestHeadBytes + requestBytes * perHead);
  }

  #allocate(): GPUBuffer {
    const buffer = this.#device.memory.allocate('staging', 'requests', this.#bytes(this.#maxRequests), 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
    this.#all.push(buffer);
    return buffer;
  }
}
