/**
 * One pass through the model: `rows` new tokens that begin at `position`. The same numbers lie in a
 * uniform buffer that every kernel binds, so bind groups are built once and only this block changes:
 *
 *     struct Step { rows: u32, position: u32, sealed: u32 }
 */
import type { Device } from '../device/device.ts';
import { packUniforms } from '../device/uniforms.ts';

export interface Step {
  /** Tokens in this pass, 1 while decoding. */
  rows: number;
  /** Position of the first of them in the sequence, from 0. */
  position: number;
  /** Positions before this one are not in the layers' rings: they were sealed and lie in RAM or on disk. */
  sealed?: number;
  /** Tokens that were taken out of the layers that see everything: their keys lie so many slots further to the front. */
  removed?: number;
  /** Reading: attends to everything exactly, whatever the policy of decoding is. */
  exact?: boolean;
  /** Reading, of rows that may see less than everything where layers read sparsely. */
  sparse?: boolean;
  /** A row alone may be computed by a team; whoever asks for it sees to it that no member came late. */
  team?: boolean;
}

export class StepUniform {
  readonly buffer: GPUBuffer;
  /** The same for layers that nothing is taken out of. */
  readonly whole: GPUBuffer;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    const allocate = (): GPUBuffer => device.memory.allocate('activations', 'step', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
    this.buffer = allocate();
    this.whole = allocate();
  }

  /** Queued in order with the submissions around it. */
  write(step: Step): void {
    const write = (buffer: GPUBuffer, position: number): void =>
      this.#device.gpu.queue.writeBuffer(buffer, 0, packUniforms([step.rows, position, step.sealed ?? 0]));
    write(this.buffer, step.position - (step.removed ?? 0));
    write(this.whole, step.position);
  }

  free(): void {
    for (const buffer of [this.buffer, this.whole]) this.#device.memory.free(buffer);
  }
}
