/**
 * Misses that no step waits for: what the lookups of all layers ask for is read back once a step, fetched while the next
 * step runs, and there for the one after it.
 */
import type { Device } from '../../device/device.ts';
import type { Arrivals } from './arrivals.ts';
import type { FarLayer } from './farLayer.ts';
import type { FarStore } from './farStore.ts';
import { LayerRequests } from './requestReader.ts';
import { requestBytes, requestHeadBytes } from './slotTable.ts';

interface LaggedStep {
  buffer: GPUBuffer;
  layers: number;
  /** Begun when the step has been submitted. */
  mapped: Promise<undefined> | null;
  /** Of the step, for the report. */
  noted: (requests: readonly LayerRequests[]) => void;
}

export class LaggedMisses {
  /** Most tokens that a head asks for in a step; the others are missed and asked for again. */
  readonly requestLimit: number;
  readonly #device: Device;
  readonly #kvHeads: number;
  readonly #idle: GPUBuffer[] = [];
  readonly #all: GPUBuffer[] = [];
  /** The oldest first. */
  #steps: LaggedStep[] = [];

  constructor(device: Device, { kvHeads, room }: { kvHeads: number; room: number }) {
    this.#device = device;
    this.#kvHeads = kvHeads;
    this.requestLimit = Math.min(room, Math.max(64, Math.floor(room / 4)));
  }

  /** Steps whose misses have not been delivered. */
  get waiting(): number {
    return this.#steps.length;
  }

  /** At the end of a step: keeps what its layers ask for. `noted` hears of it when it is known. */
  encode(encoder: GPUCommandEncoder, layers: readonly FarLayer[], noted: LaggedStep['noted']): void {
    const layerBytes = this.#layerBytes;
    const buffer = this.#idle.pop() ?? this.#allocate(layerBytes * layers.length);
    for (const [index, { memory }] of layers.entries()) encoder.copyBufferToBuffer(memory.table.requests, 0, buffer, index * layerBytes, layerBytes);
    this.#steps.push({ buffer, layers: layers.length, mapped: null, noted });
  }

  /**
   * Between two steps, when all before have been submitted: brings what they asked for, but for the newest `except`
   * ones, which may still run.
   */
  async deliver({ except, store, arrivals, scatter }: { except: number; store: FarStore; arrivals: Arrivals; scatter: (layers: readonly number[]) => void }): Promise<void> {
    for (const step of this.#steps) {
      if (step.mapped) continue;
      step.mapped = step.buffer.mapAsync(0x01 /* READ */) as Promise<undefined>;
      step.mapped.catch(() => undefined);
    }
    while (this.#steps.length > except) {
      const [step] = this.#steps;
      const requests = await this.#read(step);
      this.#steps.shift();
      await arrivals.deliverAll(store, requests, scatter);
      step.noted(requests);
    }
  }

  free(): void {
    for (const buffer of this.#all.splice(0)) this.#device.memory.free(buffer);
    this.#idle.length = 0;
    this.#steps = [];
  }

  async #read({ buffer, layers, mapped }: LaggedStep): Promise<LayerRequests[]> {
    const words = new Uint32Array((await this.#device.mapped(buffer, mapped ?? Promise.resolve())).slice(0));
    buffer.unmap();
    this.#idle.push(buffer);
    const layerWords = this.#layerBytes / 4;
    return Array.from({ length: layers }, (_, layer) => new LayerRequests(this.#kvHeads, words.subarray(layer * layerWords, (layer + 1) * layerWords)));
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
