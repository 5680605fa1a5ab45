/** How a layer's keys and values lie on the GPU, and which number format suits the adapter. */
import type { Device } from '../../device/device.ts';

export interface KvLayout {
  /** f16 is stored two to a u32 word and needs no `shader-f16`. */
  format: 'f32' | 'f16';
  kvHeads: number;
  /** Divisible by 8. */
  headDim: number;
  /**
   * Tokens a head has room for. Token `position` lies in slot `position % capacitySlots`: at least the
   * context for layers that see everything, at least window + maxRows - 1 for sliding ones.
   */
  capacitySlots: number;
}

export function kvBytesPerValue(format: KvLayout['format']): number {
  return format === 'f16' ? 2 : 4;
}

/**
 * On a GPU half the bytes is faster. Adapters that compute on the processor gain nothing (SwiftShader spends 20–30 ns
 * on each `unpack2x16float`), and f32 keeps the logits independent of how a prompt was cut into chunks: rounding to
 * f16 lets differences of one unit in the last place grow to 1e-3.
 */
export function chooseKvFormat(device: Device): KvLayout['format'] {
  return device.facts.kind === 'software' ? 'f32' : 'f16';
}
