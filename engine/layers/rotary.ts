/**
 * The (cos, sin) pairs of a step's rows, computed on the CPU in double precision: at position 262 144
 * the angle of the first pair is far outside the range where WGSL's f32 `sin` is accurate.
 */
import type { Device } from '../device/device.ts';
import type { RotarySpec } from '../models/spec.ts';
import type { Step } from './step.ts';

export class RotaryAngles {
  /** [rows][rotatedDims / 2] of (cos, sin), f32. */
  readonly buffer: GPUBuffer;
  readonly #device: Device;
  readonly #frequencies: Float64Array;
  readonly #staging: Float32Array<ArrayBuffer>;

  constructor(device: Device, spec: RotarySpec, divisors: Float32Array | null, maxRows: number) {
    this.#device = device;
    this.#frequencies = rotaryFrequencies(spec, divisors);
    this.#staging = new Float32Array(maxRows * spec.rotatedDims);
    this.buffer = device.memory.storage('activations', 'rotary angles', this.#staging.byteLength);
  }

  /** Queued in order with the submissions around it. */
  write(step: Step): void {
    const count = writeAngles(this.#frequencies, step.position, step.rows, this.#staging);
    this.#device.gpu.queue.writeBuffer(this.buffer, 0, this.#staging, 0, count);
  }
}

/** Radians per position for each pair of dimensions. */
export function rotaryFrequencies(spec: RotarySpec, divisors: Float32Array | null): Float64Array {
  return Float64Array.from({ length: spec.rotatedDims / 2 }, (_, i) => {
    const frequency = spec.positionScale * spec.base ** ((-2 * i) / spec.rotatedDims);
    return divisors ? frequency / divisors[i] : frequency;
  });
}

/** Fills `out` with the pairs of `rows` positions; returns how many numbers were written. */
export function writeAngles(frequencies: Float64Array, position: number, rows: number, out: Float32Array): number {
  let index = 0;
  for (let row = 0; row < rows; row++) {
    for (const frequency of frequencies) {
      const angle = (position + row) * frequency;
      out[index++] = Math.cos(angle);
      out[index++] = Math.sin(angle);
    }
  }
  return index;
}

/** Two specs that rotate alike share one table. */
export function rotaryKey(spec: RotarySpec): string {
  return JSON.stringify([spec.rotatedDims, spec.base, spec.positionScale, spec.divisors]);
}
