/**
 * Brings queries from the GPU to the graphs: a sample of the prompt's while it is read, behind the reading, and each
 * decoding step's, at once. Through mapped buffers that are used again.
 */
import type { Device } from '../../device/device.ts';
import type { GraphIndex } from './graphIndex.ts';

export interface QueryCopy {
  target: GPUBuffer;
  rows: number;
}

/** Copies under way before reading waits for them: they bound the memory that samples take. */
const maxUnderWay = 8;

export class QueryReader {
  readonly #device: Device;
  readonly #index: GraphIndex;
  readonly #rowBytes: number;
  readonly #maxRows: number;
  readonly #idle: GPUBuffer[] = [];
  readonly #all: GPUBuffer[] = [];
  #underWay: Promise<void>[] = [];

  /** `maxRows`: of a chunk. */
  constructor(device: Device, index: GraphIndex, { heads, headDim, maxRows }: { heads: number; headDim: number; maxRows: number }) {
    this.#device = device;
    this.#index = index;
    this.#rowBytes = 4 * heads * headDim;
    this.#maxRows = Math.ceil(maxRows / index.strideTokens) + 1;
  }

  /** Keeps every n-th of a chunk's queries, [rows][heads·headDim]; what wrote them was submitted before. */
  async sample(layer: number, queries: GPUBuffer, { position, rows }: { position: number; rows: number }): Promise<void> {
    const stride = this.#index.strideTokens;
    const first = (stride - (position % stride)) % stride;
    if (first >= rows) return;
    const encoder = this.#device.gpu.createCommandEncoder();
    const target = this.#take();
    let count = 0;
    for (let row = first; row < rows; row += stride) encoder.copyBufferToBuffer(queries, row * this.#rowBytes, target, count++ * this.#rowBytes, this.#rowBytes);
    this.#device.gpu.queue.submit([encoder.finish()]);
    const arriving = this.read({ target, rows: count }).then((sampled) => this.#index.addQueries(layer, sampled));
    // Whoever waits for the samples hears of a failure.
    arriving.catch(() => undefined);
    this.#underWay.push(arriving);
    if (this.#underWay.length >= maxUnderWay) await this.#underWay.shift();
  }

  /** Waits until what was sampled is with the graphs. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.splice(0));
  }

  /** Copies one row; `read` it after the submission. */
  encode(encoder: GPUCommandEncoder, queries: GPUBuffer): QueryCopy {
    const target = this.#take();
    encoder.copyBufferToBuffer(queries, 0, target, 0, this.#rowBytes);
    return { target, rows: 1 };
  }

  async read({ target, rows }: QueryCopy): Promise<Float32Array> {
    const sizeBytes = rows * this.#rowBytes;
    const mapped = await this.#device.mapped(target, target.mapAsync(0x01 /* READ */, 0, sizeBytes), sizeBytes);
    const queries = new Float32Array(mapped.slice(0));
    target.unmap();
    this.#idle.push(target);
    return queries;
  }

  free(): void {
    for (const buffer of this.#all.splice(0)) this.#device.memory.free(buffer);
    this.#idle.length = 0;
  }

  #take(): GPUBuffer {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const buffer = this.#device.memory.allocate('staging', 'sampled queries', this.#maxRows * this.#rowBytes, 0x01 /* MAP_READ */ | 0x08 /* COPY_DST */);
    this.#all.push(buffer);
    return buffer;
  }
}
