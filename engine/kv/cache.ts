/**
 * Where a layer keeps its keys and values on the GPU: two buffers of [kvHead][slot][headDim]. A full
 * layer has a slot for every position; a sliding layer a ring that holds the window, the rows of one
 * chunk, and some slack so that the end of a sequence can be taken back without reading again.
 */
import type { Device } from '../device/device.ts';
import type { MixerCheckpoint } from '../layers/mixer.ts';
import { type KvLayout, kvBytesPerValue } from '../layers/attention/layout.ts';
import { MeansProgress } from '../layers/sparseReading/keyMeans.ts';

export class KvCache {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly layout: KvLayout;
  /** null for a cache with a slot for every position. */
  readonly windowTokens: number | null;
  /** Of its keys, for sparse reading. */
  readonly keyMeans = new MeansProgress();
  readonly #device: Device;

  constructor(device: Device, label: string, layout: KvLayout, windowTokens: number | null) {
    this.#device = device;
    this.layout = layout;
    this.windowTokens = windowTokens;
    const sizeBytes = layout.kvHeads * layout.capacitySlots * layout.headDim * kvBytesPerValue(layout.format);
    this.keys = device.memory.storage('kv', `${label} keys`, sizeBytes);
    this.values = device.memory.storage('kv', `${label} values`, sizeBytes);
  }

  /**
   * True when the sequence can go on from `length` although `written` positions were stored: every key
   * that position `length` can see must still be in its slot.
   */
  canTruncate(length: number, written: number): boolean {
    if (this.windowTokens === null || written <= this.layout.capacitySlots) return true;
    return written - length <= this.layout.capacitySlots - this.windowTokens;
  }

  /** Somebody else than steps has filled it. */
  noteFilled(): void {
    this.keyMeans.noteFilled();
  }

  /** A copy of a ring as it is now, to come back to this length later; null when nothing is ever overwritten. */
  checkpoint(encoder: GPUCommandEncoder): MixerCheckpoint | null {
    if (this.windowTokens === null) return null;
    const memory = this.#device.memory;
    const pairs = [this.keys, this.values].map((live) => ({ live, saved: memory.storage('kv', 'checkpoint', live.size) }));
    for (const { live, saved } of pairs) encoder.copyBufferToBuffer(live, 0, saved, 0, live.size);
    return {
      sizeBytes: this.keys.size + this.values.size,
      restore: (later) => {
        for (const { live, saved } of pairs) later.copyBufferToBuffer(saved, 0, live, 0, live.size);
      },
      free: () => {
        for (const { saved } of pairs) memory.free(saved);
      },
    };
  }

  free(): void {
    this.#device.memory.free(this.keys);
    this.#device.memory.free(this.values);
  }
}
