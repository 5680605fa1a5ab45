/**
 * Keeps the queries of watched heads of the latest rows while an answer is written, for an `AttentionRecorder`. Closed, it
 * costs nothing; open, one small dispatch for each layer that has watched heads.
 */
import watchText from '../../shaders/watch_queries.wgsl';
import type { Device } from '../device/device.ts';
import { type Dispatch, encodeDispatch } from '../device/kernel.ts';
import { constantUniform } from '../device/uniforms.ts';
import { type Part, rowWork } from '../layers/part.ts';
import type { Step } from '../layers/step.ts';

/** Where a layer's queries are after they were rotated: [rows][rowUnits] f32 from `originUnits` on, units of four. */
export interface WatchedQueries {
  layer: number;
  queries: GPUBuffer;
  originUnits: number;
  rowUnits: number;
  headDim: number;
  step: GPUBuffer;
}

export interface WatchOptions {
  /** By layer, in ascending order. */
  heads: ReadonlyMap<number, readonly number[]>;
  /** Rows before this position are not kept. */
  firstPosition: number;
  /** Rows that are kept, at position % capacityRows. */
  capacityRows: number;
}

export class HeadWatch {
  readonly #device: Device;
  readonly #sources: WatchedQueries[] = [];
  #open: { firstPosition: number; dispatches: ReadonlyMap<WatchedQueries, { dispatch: Dispatch; workgroups: number }>; kept: ReadonlyMap<number, GPUBuffer>; buffers: readonly GPUBuffer[] } | null = null;

  constructor(device: Device) {
    this.#device = device;
  }

  /** The part that follows a layer's rotation; a layer may have several, of which each row passes one. */
  part(source: WatchedQueries): Part {
    this.#sources.push(source);
    return { name: 'rotary and store', encode: (pass, step) => this.#encode(source, pass, step), work: rowWork(0) };
  }

  /** Keeps rows from now on. Throws `out-of-gpu-memory`. */
  async open({ heads, firstPosition, capacityRows }: WatchOptions): Promise<void> {
    this.close();
    const { kernels, memory } = this.#device;
    const kernel = await kernels.get({ label: 'watch_queries', texts: [watchText] });
    this.#open = await memory.checked('Room for the queries of watched heads', () => {
      const kept = new Map<number, GPUBuffer>();
      const buffers: GPUBuffer[] = [];
      const dispatches = new Map<WatchedQueries, { dispatch: Dispatch; workgroups: number }>();
      for (const source of this.#sources) {
        const chosen = heads.get(source.layer);
        if (!chosen || chosen.length === 0) continue;
        const headUnits = source.headDim / 4;
        const units = chosen.length * headUnits;
        const target = kept.get(source.layer) ?? memory.storage('activations', 'watched queries', capacityRows * units * 16);
        kept.set(source.layer, target);
        const shape = constantUniform(this.#device, 'watched queries shape', [firstPosition, capacityRows, source.originUnits, source.rowUnits, headUnits, chosen.length]);
        const list = memory.storage('activations', 'watched heads', chosen.length * 4);
        this.#device.gpu.queue.writeBuffer(list, 0, Uint32Array.from(chosen));
        buffers.push(shape, list);
        dispatches.set(source, { dispatch: { kernel, bindings: kernel.bind(source.step, shape, list, source.queries, target) }, workgroups: Math.ceil(units / 64) });
      }
      return { firstPosition, dispatches, kept, buffers: [...buffers, ...kept.values()] };
    });
  }

  /** [capacityRows][watched heads of the layer][headDim] f32. */
  kept(layer: number): GPUBuffer | undefined {
    return this.#open?.kept.get(layer);
  }

  close(): void {
    for (const buffer of this.#open?.buffers ?? []) this.#device.memory.free(buffer);
    this.#open = null;
  }

  #encode(source: WatchedQueries, pass: GPUComputePassEncoder, { rows, position }: Step): void {
    const found = this.#open?.dispatches.get(source);
    if (!this.#open || !found || position + rows <= this.#open.firstPosition) return;
    encodeDispatch(pass, found.dispatch, found.workgroups, rows);
  }
}
