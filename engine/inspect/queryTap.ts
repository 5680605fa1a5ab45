/**
 * Keeps the queries of some rows while they pass through the layers, for an inspection. Closed, it costs nothing; open,
 * one small copy a layer.
 */
import keepText from '../../shaders/keep_queries.wgsl';
import type { Device } from '../device/device.ts';
import { type Dispatch, encodeDispatch, type Kernel } from '../device/kernel.ts';
import { constantUniform } from '../device/uniforms.ts';
import { type Part, rowWork } from '../layers/part.ts';

/** Where a layer's queries are after they were rotated: [rows][width] f32. */
interface Source {
  queries: GPUBuffer;
  width: number;
  step: GPUBuffer;
}

export interface KeptRows {
  firstPosition: number;
  rows: number;
}

interface OpenLayer {
  kept: GPUBuffer;
  dispatch: Dispatch;
  units: number;
}

export class QueryTap {
  readonly #device: Device;
  readonly #sources: Source[] = [];
  #layers: OpenLayer[] = [];
  #uniforms: GPUBuffer[] = [];
  #listening = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Whether queries of what is computed now are kept. */
  get listening(): boolean {
    return this.#listening;
  }

  /** The part that follows a layer's rotation; layers in their order. */
  part(source: Source): Part {
    const index = this.#sources.push(source) - 1;
    // Named as the part before it, beside which it takes no time worth a line.
    return { name: 'rotary and store', encode: (pass, step) => this.#encode(index, pass, step.rows), work: rowWork(0) };
  }

  /** Bytes of one row, all layers together. */
  get rowBytes(): number {
    return this.#sources.reduce((sum, { width }) => sum + 4 * width, 0);
  }

  /** Begins to compile what keeps rows. */
  prepare(): void {
    // Whoever opens it hears of a failure.
    this.#kernel().catch(() => undefined);
  }

  /** Makes room and keeps the rows that are computed from now on. Throws `out-of-gpu-memory`. */
  async open({ firstPosition, rows }: KeptRows): Promise<void> {
    this.close();
    const { memory } = this.#device;
    const kernel = await this.#kernel();
    this.#layers = await memory.checked('Room for the queries that are looked at', () =>
      this.#sources.map(({ queries, width, step }) => {
        const kept = memory.storage('activations', 'kept queries', rows * width * 4);
        const shape = constantUniform(this.#device, 'kept queries shape', [firstPosition, rows, width / 4]);
        this.#uniforms.push(shape);
        return { kept, units: width / 4, dispatch: { kernel, bindings: kernel.bind(step, shape, queries, kept) } };
      }),
    );
    this.#listening = true;
  }

  /** What was kept stays; later rows are not. */
  stop(): void {
    this.#listening = false;
  }

  /** [rows][heads·headDim] f32 of a layer, counted among those that attend. */
  kept(layer: number): GPUBuffer {
    return this.#layers[layer].kept;
  }

  close(): void {
    this.#listening = false;
    for (const { kept } of this.#layers) this.#device.memory.free(kept);
    for (const uniform of this.#uniforms) this.#device.memory.free(uniform);
    this.#layers = [];
    this.#uniforms = [];
  }

  #encode(index: number, pass: GPUComputePassEncoder, rows: number): void {
    if (!this.#listening) return;
    const { dispatch, units } = this.#layers[index];
    encodeDispatch(pass, dispatch, Math.ceil(units / 64), rows);
  }

  #kernel(): Promise<Kernel> {
    return this.#device.kernels.get({ label: 'keep_queries', texts: [keepText] });
  }
}
