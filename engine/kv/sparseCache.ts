/** The cache of a `sparse` layer: every key and value (f32), and the means of whole blocks of them. */
import type { Device } from '../device/device.ts';
import type { Step } from '../layers/step.ts';
import { meansFloats, type SparseSpec } from '../models/sparseSpec.ts';
import { KvCache } from './cache.ts';

export class SparseCache extends KvCache {
  /** [kvHead][blocks][2][headDim] f32. */
  readonly means: GPUBuffer;
  /** Where in the sequence a step's means begin. */
  readonly range: GPUBuffer;
  readonly blocks: number;
  readonly #blockTokens: number;
  readonly #memory: Device['memory'];
  /** Tokens whose whole blocks have their means. */
  #meansTokens = 0;

  constructor(device: Device, label: string, spec: SparseSpec, contextTokens: number) {
    super(device, label, { format: 'f32', kvHeads: spec.kvHeads, headDim: spec.headDim, capacitySlots: contextTokens }, null);
    this.#memory = device.memory;
    this.#blockTokens = spec.blockTokens;
    this.blocks = Math.ceil(contextTokens / spec.blockTokens);
    this.means = device.memory.storage('kv', `${label} means`, 4 * meansFloats(spec, contextTokens));
    this.range = device.memory.allocate('activations', 'range of blocks', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  /** The blocks that have no means yet, or other tokens than when they got them, and are whole after this step. */
  completed({ position, rows }: Step): { first: number; count: number } {
    const first = Math.floor(Math.min(this.#meansTokens, position) / this.#blockTokens);
    this.#meansTokens = position + rows;
    return { first, count: Math.floor((position + rows) / this.#blockTokens) - first };
  }

  override noteFilled(): void {
    this.#meansTokens = 0;
  }

  override free(): void {
    super.free();
    this.#memory.free(this.means);
    this.#memory.free(this.range);
  }
}
