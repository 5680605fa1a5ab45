/** The means of 16 keys each that sparse reading ranks blocks by, for one layer: 1/32 of what its keys and values take as halves. */
import loadText from '../../../shaders/kv_load.wgsl';
import meansText from '../../../shaders/key_means.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { KvLayout } from '../attention/layout.ts';
import { sharedUniform } from '../pointwise/bound.ts';
import { blockTokens, meansPerBlock } from './sparseReading.ts';

/** Whole blocks of a context. */
export function blocksOf(contextTokens: number): number {
  return Math.ceil(contextTokens / blockTokens);
}

export function keyMeansBytes({ kvHeads, headDim }: { kvHeads: number; headDim: number }, contextTokens: number): number {
  return 2 * kvHeads * blocksOf(contextTokens) * meansPerBlock * headDim;
}

/** [kvHead][blocks · 4][headDim] f16. */
export function allocateKeyMeans(device: Device, layout: { kvHeads: number; headDim: number }, contextTokens: number, label: string): GPUBuffer {
  return device.memory.storage('kv', `${label} key means`, keyMeansBytes(layout, contextTokens));
}

export interface KeyMeansBuffers {
  /** Of `keys`: a slot is a position, or a position modulo the slots. */
  layout: KvLayout;
  keys: GPUBuffer;
  means: GPUBuffer;
  contextTokens: number;
}

export interface BoundKeyMeans {
  /** The means of blocks [first, first + count). */
  encode(pass: GPUComputePassEncoder, first: number, count: number): void;
}

/** `first` is written to a uniform of the layer: one range a submission. */
export async function bindKeyMeans(device: Device, { layout, keys, means, contextTokens }: KeyMeansBuffers): Promise<BoundKeyMeans> {
  const { format, kvHeads, headDim, capacitySlots } = layout;
  const units = headDim / 4;
  const kernel = await device.kernels.get({
    label: 'key_means',
    texts: [loadText, meansText],
    constants: { HALF_CACHE: format === 'f16', WIDE: false, MEANS: meansPerBlock, HEAD_UNITS: units },
  });
  const stretch = device.memory.allocate('activations', 'stretch of means', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  const shape = sharedUniform(device, 'key means shape', [capacitySlots, blocksOf(contextTokens) * meansPerBlock]);
  const dispatch = { kernel, bindings: kernel.bind(stretch, shape, keys, means) };
  return {
    encode(pass, first, count) {
      if (count <= 0) return;
      device.gpu.queue.writeBuffer(stretch, 0, packUniforms([first, count * meansPerBlock]));
      encodeDispatch(pass, dispatch, Math.ceil((count * meansPerBlock * units) / 64), kvHeads);
    },
  };
}

/** Which blocks of a cache that holds everything have the means of what is in it now. */
export class MeansProgress {
  #blocks = 0;

  /** Keys from `position` on are written anew. */
  noteStep(position: number): void {
    this.#blocks = Math.min(this.#blocks, Math.floor(position / blockTokens));
  }

  /** Somebody else than steps has filled the cache. */
  noteFilled(): void {
    this.#blocks = 0;
  }

  /** The blocks before `blocks` that still need theirs; from now on they have them. */
  upTo(blocks: number): { first: number; count: number } {
    const first = Math.min(this.#blocks, blocks);
    this.#blocks = Math.max(this.#blocks, blocks);
    return { first, count: blocks - first };
  }
}
