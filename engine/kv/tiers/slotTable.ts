/**
 * Which token's key and value lies in which slot of a layer's GPU cache, for each KV head: the books of the cache, kept
 * on the GPU, so that a step's hits are found without the CPU and only what must be fetched is read back. Single tokens
 * are cached, because four of five tokens that a step wants were wanted in the last sixteen steps, while the blocks
 * they lie in bring ten unwanted tokens along.
 */
import type { Device } from '../../device/device.ts';
import type { FarLayout } from '../../retrieval/layout.ts';

/** Slots that 16 bits can name beside 0 (absent) and 0xffff (on its way). */
export const mostSlots = 0xfffe;

/** Of a slot: whose it is and when it was used; and its weight beside that. */
const slotEntryBytes = 8;
/** Bytes that the books need for each slot of a KV head. */
export const slotBookBytes = 12;

/** Bytes of a layer's books besides `slotBookBytes` a slot; a lookup asks for at most `maxRequests` tokens a head. */
export function slotTableBytes({ kvHeads, capacityTokens }: FarLayout, maxRequests: number): number {
  return kvHeads * (2 * capacityTokens + slotEntryBytes + requestHeadBytes + requestBytes * maxRequests);
}

/** Of a KV head's counts in the requests, and of one request. */
export const requestHeadBytes = 16;
export const requestBytes = 8;

export interface SlotTableShape {
  layout: FarLayout;
  slots: number;
  maxSelected: number;
}

export class SlotTable {
  /** [kvHead][capacityTokens] u16: slot + 1, 0 when absent. */
  readonly slotOf: GPUBuffer;
  /** [kvHead][slot] of (token + 1, lookup of the last use), then [kvHead] of (clock hand, 0). */
  readonly slots: GPUBuffer;
  /** [kvHead][slot] u32, see slot_weights.wgsl: whether a step that attends to all of them attends to this one. */
  readonly weights: GPUBuffer;
  /** What the last lookup asked for, see slot_lookup.wgsl. */
  readonly requests: GPUBuffer;
  /** Counts what may have changed the tokens that slots hold. */
  version = 0;
  readonly #device: Device;
  readonly #layout: FarLayout;

  constructor(device: Device, label: string, { layout, slots, maxSelected }: SlotTableShape) {
    const { kvHeads, capacityTokens } = layout;
    const storage = (name: string, sizeBytes: number): GPUBuffer => device.memory.storage('kv', `${label} ${name}`, sizeBytes);
    this.#device = device;
    this.#layout = layout;
    this.slotOf = storage('slots of tokens', 2 * kvHeads * capacityTokens);
    this.slots = storage('tokens of slots', slotEntryBytes * kvHeads * (slots + 1));
    this.weights = storage('slot weights', 4 * kvHeads * slots);
    this.requests = storage('requests', kvHeads * (requestHeadBytes + requestBytes * Math.min(maxSelected, slots)));
  }

  /** Forgets the tokens from `firstToken` (even) on, whose positions will hold other text. Their slots age and are taken. */
  forgetFrom(firstToken: number): void {
    this.version++;
    const { kvHeads, capacityTokens } = this.#layout;
    const bytes = 2 * (capacityTokens - firstToken);
    if (bytes <= 0) return;
    const encoder = this.#device.gpu.createCommandEncoder();
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) encoder.clearBuffer(this.slotOf, 2 * (kvHead * capacityTokens + firstToken), bytes);
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  free(): void {
    for (const buffer of [this.slotOf, this.slots, this.weights, this.requests]) this.#device.memory.free(buffer);
  }
}
