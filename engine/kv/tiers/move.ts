/** Kernels that move vectors between a layer's ring, stored form and the slots of the GPU's cache. */
import packText from '../../../shaders/kv_pack.wgsl';
import scatterText from '../../../shaders/kv_scatter.wgsl';
import type { Device } from '../../device/device.ts';
import { encodeDispatch } from '../../device/kernel.ts';
import { packUniforms } from '../../device/uniforms.ts';
import type { KvLayout } from '../../layers/attention/layout.ts';
import { sharedUniform } from '../../layers/pointwise/bound.ts';
import type { FarLayout } from '../../retrieval/layout.ts';
import { type Arrivals, firstPlace, loneRange } from './arrivals.ts';
import { type FarFormat, recordWords } from './record.ts';
import type { SlotTable } from './slotTable.ts';

/** Tokens from `position` on, and where they lie in `stored`: from `first` on, in heads of `stride` tokens. */
export interface Span {
  position: number;
  tokens: number;
  stride: number;
  first: number;
}

export interface BoundMove {
  /** Takes effect for everything submitted later. */
  write(span: Span): void;
  encode(pass: GPUComputePassEncoder): void;
}

export interface MoveBuffers {
  /** The layer's cache, [kvHead][slot][headDim] in the format of `layout`. */
  ring: GPUBuffer;
  layout: KvLayout;
  /** [kvHead][stride][words]. */
  stored: GPUBuffer | GPUBufferBinding;
  format: FarFormat;
}

/** `pack` copies ring → stored, `unpack` stored → ring. */
export async function bindMove(device: Device, direction: 'pack' | 'unpack', { ring, layout, stored, format }: MoveBuffers): Promise<BoundMove> {
  const { headDim, kvHeads, capacitySlots } = layout;
  const kernel = await device.kernels.get({
    label: `kv_${direction}`,
    texts: [packText],
    constants: {
      HALF_CACHE: layout.format === 'f16',
      EIGHT_BIT: format === 'q8',
      UNPACK: direction === 'unpack',
      HEAD_UNITS: headDim / 4,
      VECTOR_WORDS: recordWords(format, headDim),
    },
  });
  const numbers = device.memory.allocate('activations', 'span', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  const bindings = kernel.bind(sharedUniform(device, 'move shape', [capacitySlots]), numbers, ring, stored);
  let tokens = 0;
  return {
    write: (span) => {
      tokens = span.tokens;
      device.gpu.queue.writeBuffer(numbers, 0, packUniforms([span.position, span.tokens, span.stride, span.first]));
    },
    encode: (pass) => encodeDispatch(pass, { kernel, bindings }, Math.ceil(tokens / 64), kvHeads),
  };
}

export interface BoundScatter {
  /** Puts what `Arrivals` has delivered to this layer alone into its slots. */
  encode(pass: GPUComputePassEncoder): void;
  /** The same with so many arrivals among those of other layers; the table's new version is the caller's to count. */
  encodeAmong(pass: GPUComputePassEncoder, arrivals: number): void;
}

export interface ScatterBuffers {
  /** Among the far layers, from 0. */
  layer: number;
  arrivals: Arrivals;
  keys: GPUBuffer;
  values: GPUBuffer;
  table: SlotTable;
  layout: FarLayout;
  slots: number;
  format: FarFormat;
}

/** Few where it is not known what has come, because most steps fetch little; they go on in strides. */
const scatterWorkgroups = 64;
/** Each word waits for its place, so that fewer workgroups would wait in turn. */
const mostScatterWorkgroups = 4096;

export async function bindScatter(device: Device, { layer, arrivals, keys, values, table, layout, slots, format }: ScatterBuffers): Promise<BoundScatter> {
  const words = recordWords(format, layout.headDim);
  const kernel = await device.kernels.get({ label: 'kv_scatter', texts: [scatterText], constants: { VECTOR_WORDS: words } });
  const bound = (range: number): GPUBindGroup => {
    const shape = sharedUniform(device, 'scatter shape', [layout.capacityTokens, slots, range, firstPlace]);
    return kernel.bind(shape, arrivals.places, arrivals.vectors, keys, values, table.slotOf, table.slots);
  };
  const [alone, among] = [loneRange, layer].map((range) => ({ kernel, bindings: bound(range) }));
  return {
    encode: (pass) => {
      table.version++;
      encodeDispatch(pass, alone, scatterWorkgroups);
    },
    encodeAmong: (pass, arrivals) => encodeDispatch(pass, among, Math.min(mostScatterWorkgroups, Math.ceil((arrivals * words) / 64))),
  };
}
