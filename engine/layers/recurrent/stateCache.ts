/**
 * The cache of a `linear` or an `evicting` layer: a state of constant size, in two copies. A step reads the one that holds the state
 * before it and writes the other, so that the last step can be taken back (a token that was computed ahead); further
 * back, only a checkpoint leads.
 */
import type { Device } from '../../device/device.ts';
import type { BufferRange } from '../../kv/tiers/indexRanges.ts';
import { type EvictingSpec, evictingState } from '../../models/evictingSpec.ts';
import { type LinearSpec, stateFloats } from '../../models/linearSpec.ts';
import type { MixerCheckpoint } from '../mixer.ts';
import type { Step } from '../step.ts';

/** Parts of a buffer that are bound by themselves must begin at multiples of this. */
const bindingAlignment = 256;

export interface StateSlot {
  buffer: GPUBuffer;
  matrix: GPUBufferBinding;
  tail: GPUBufferBinding;
}

export class StateCache {
  /** Bytes of a state: what a checkpoint or a kept snapshot takes. */
  readonly sizeBytes: number;
  readonly slots: readonly [StateSlot, StateSlot];
  readonly #device: Device;
  readonly #matrixBytes: number;
  /** How many tokens the state in each slot has seen; −1 without one. */
  #lengths: [number, number] = [-1, -1];
  /** The step that was encoded last, and what it reads. */
  #turned: { position: number; rows: number; source: 0 | 1 } | null = null;

  constructor(device: Device, label: string, spec: LinearSpec | EvictingSpec) {
    this.#device = device;
    const { matrix, tail } = spec.kind === 'evicting' ? evictingState(spec) : stateFloats(spec);
    this.#matrixBytes = 4 * matrix;
    this.sizeBytes = 4 * (matrix + tail);
    const tailOffset = Math.ceil(this.#matrixBytes / bindingAlignment) * bindingAlignment;
    const slot = (): StateSlot => {
      const buffer = device.memory.storage('kv', `${label} state`, tailOffset + 4 * tail);
      return { buffer, matrix: { buffer, offset: 0, size: 4 * matrix }, tail: { buffer, offset: tailOffset, size: 4 * tail } };
    };
    this.slots = [slot(), slot()];
  }

  /**
   * The slot that a step reads; it writes the other. All parts of a step get the same answer. A measurement may begin
   * anywhere and then reads the latest state; `canTruncate` keeps sequences from that.
   */
  turn({ position, rows }: Step): 0 | 1 {
    if (this.#turned?.position === position && this.#turned.rows === rows) return this.#turned.source;
    const [first, second] = this.#lengths;
    const source = second === position || (first !== position && second > first) ? 1 : 0;
    // Whatever else lies there belongs to another sequence.
    if (this.#lengths[source] !== position) this.#lengths[source] = -1;
    this.#lengths[1 - source] = position + rows;
    this.#turned = { position, rows, source };
    return source;
  }

  canTruncate(length: number): boolean {
    return length === 0 || this.#lengths.includes(length);
  }

  /** Where the state of `length` tokens lies, which must be in a slot: its matrix, then its tail. */
  rangesAt(length: number): BufferRange[] {
    return this.#rangesOf(this.#slotOf(length));
  }

  /** Takes back a state that has seen `length` tokens. */
  adopt(state: Uint8Array, length: number): void {
    let from = 0;
    for (const { buffer, offsetBytes, sizeBytes } of this.#rangesOf(0)) {
      this.#device.gpu.queue.writeBuffer(buffer, offsetBytes, state, from, sizeBytes);
      from += sizeBytes;
    }
    this.#begin(length);
  }

  /** A copy of the state of `length` tokens, which must be in a slot. */
  checkpoint(encoder: GPUCommandEncoder, length: number): MixerCheckpoint {
    const { memory } = this.#device;
    const live = this.slots[length === 0 ? 0 : this.#slotOf(length)].buffer;
    const saved = memory.storage('kv', 'checkpoint of a state', live.size);
    encoder.copyBufferToBuffer(live, 0, saved, 0, live.size);
    return {
      sizeBytes: this.sizeBytes,
      restore: (later) => {
        later.copyBufferToBuffer(saved, 0, this.slots[0].buffer, 0, live.size);
        this.#begin(length);
      },
      free: () => memory.free(saved),
    };
  }

  free(): void {
    for (const { buffer } of this.slots) this.#device.memory.free(buffer);
  }

  #begin(length: number): void {
    this.#lengths = [length, -1];
    this.#turned = null;
  }

  #slotOf(length: number): 0 | 1 {
    const slot = this.#lengths.indexOf(length);
    if (slot < 0) throw new RangeError(`no state of ${length} tokens, but of ${this.#lengths.join(' and ')}`);
    return slot as 0 | 1;
  }

  #rangesOf(slot: 0 | 1): BufferRange[] {
    const { buffer, tail } = this.slots[slot];
    const ranges = [
      { buffer, offsetBytes: 0, sizeBytes: this.#matrixBytes },
      { buffer, offsetBytes: tail.offset ?? 0, sizeBytes: tail.size ?? 0 },
    ];
    return ranges.filter(({ sizeBytes }) => sizeBytes > 0);
  }
}
