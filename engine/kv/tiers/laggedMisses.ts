/**
 * Misses that no step waits for: what the lookups of all layers ask for is read back once a step, fetched while the next
 * step runs, and there for the one after it.
 */
import type { Device } from '../../device/device.ts';
import type { FarLayer } from './farLayer.ts';
import { type AskedByLayer, LayerRequests } from './requestReader.ts';
import { requestBytes, requestHeadBytes } from './slotTable.ts';

/** What is known of a step once it has run. */
export interface LaggedNews {
  /** Of the layers that looked something up, by layer. */
  requests: ReadonlyMap<number, LayerRequests>;
  /** [layer][kvHead]: far tokens in slots, of layers that have weighed them. */
  held: Uint32Array;
}

interface LaggedStep {
  buffer: GPUBuffer;
  /** That looked something up. */
  layers: readonly number[];
  /** Begun when the step has been submitted. */
  mapped: Promise<undefined> | null;
  /** Of the step, for the report. */
  noted: (news: LaggedNews) => void;
}

export class LaggedMisses {
  /** Most tokens that a head asks for in a step; the others are missed and asked for again. */
  readonly requestLimit: number;
  readonly #device: Device;
  readonly #kvHeads: number;
  readonly #held: GPUBuffer;
  readonly #idle: GPUBuffer[] = [];
  readonly #all: GPUBuffer[] = [];
  /** The oldest first. */
  #steps: LaggedStep[] = [];

  /** `held`: [layer][kvHead] u32, see `LaggedNews`. */
  constructor(device: Device, { kvHeads, room, held }: { kvHeads: number; room: number; held: GPUBuffer }) {
    this.#device = device;
    this.#kvHeads = kvHeads;
    this.#held = held;
    this.requestLimit = Math.min(room, Math.max(64, Math.floor(room / 4)));
  }

  /** Steps whose misses have not been taken. */
  get waiting(): number {
    return this.#steps.length;
  }

  /** At the end of a step: keeps what those of its layers ask for that looked something up. `noted` hears of it when it is known. */
  encode(encoder: GPUCommandEncoder, layers: readonly FarLayer[], asking: ReadonlySet<number>, noted: LaggedStep['noted']): void {
    const layerBytes = this.#layerBytes;
    const buffer = this.#idle.pop() ?? this.#allocate(this.#held.size + layerBytes * layers.length);
    encoder.copyBufferToBuffer(this.#held, 0, buffer, 0, this.#held.size);
    for (const [place, layer] of [...asking].entries()) encoder.copyBufferToBuffer(layers[layer].memory.table.requests, 0, buffer, this.#held.size + place * layerBytes, layerBytes);
    this.#steps.push({ buffer, layers: [...asking], mapped: null, noted });
  }

  /**
   * Between two steps, when all before have been submitted: what layers asked for, the oldest step first, but for the
   * newest `except` steps, which may still run.
   */
  async take(except: number): Promise<AskedByLayer[][]> {
    for (const step of this.#steps) {
      if (step.mapped) continue;
      step.mapped = step.buffer.mapAsync(0x01 /* READ */) as Promise<undefined>;
      step.mapped.catch(() => undefined);
    }
    const taken: AskedByLayer[][] = [];
    while (this.#steps.length > except) {
      const [step] = this.#steps;
      const news = await this.#read(step);
      this.#steps.shift();
      step.noted(news);
      const asked = Array.from(news.requests, ([layer, requests]) => ({ layer, requests })).filter(({ requests }) => requests.mostRequested > 0);
      if (asked.length > 0) taken.push(asked);
    }
    return taken;
  }

  free(): void {
    for (const buffer of this.#all.splice(0)) this.#device.memory.free(buffer);
    this.#idle.length = 0;
    this.#steps = [];
  }

  async #read({ buffer, layers, mapped }: LaggedStep): Promise<LaggedNews> {
    const [heldWords, layerWords] = [this.#held.size / 4, this.#layerBytes / 4];
    const words = new Uint32Array(await this.#device.mapped(buffer, mapped ?? Promise.resolve()));
    const requests = new Map(layers.map((layer, place) => [layer, LayerRequests.copied(this.#kvHeads, words.subarray(heldWords + place * layerWords, heldWords + (place + 1) * layerWords))]));
    const held = words.slice(0, heldWords);
    buffer.unmap();
    this.#idle.push(buffer);
    return { requests, held };
  }

  get #layerBytes(): number {
    return this.#kvHeads * (requestHeadBytes + requestBytes * this.requestLimit);
  }

  #allocate(sizeBytes: number): GPUBuffer {
    const buffer = this.#device.memory.allocate('staging', 'lagged requests', sizeBytes, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
    this.#all.push(buffer);
    return buffer;
  }
}
