/**
 * The (cos, sin) pairs of a step's rows, computed on the CPU in double precision: at position 262 144
 * the angle of the first pair is far outside the range where WGSL's f32 `sin` is accurate.
 */
import type { Device } from '../device/device.ts';
import type { RotarySpec, YarnSpec } from '../models/spec.ts';
import type { RowBlock } from './part.ts';
import type { Step } from './step.ts';

export class RotaryAngles {
  /** [rows][rotatedDims / 2] of (cos, sin), f32. */
  readonly buffer: GPUBuffer;
  /** The same for the rows of a whole chunk; null when chunks are no larger than a step. */
  readonly #chunk: GPUBuffer | null;
  readonly #maxRows: number;
  readonly #device: Device;
  readonly #frequencies: Float64Array;
  readonly #magnitude: number;
  readonly #staging: Float32Array<ArrayBuffer>;

  constructor(device: Device, spec: RotarySpec, divisors: Float32Array | null, { maxRows, maxChunkRows }: { maxRows: number; maxChunkRows: number }) {
    this.#device = device;
    this.#frequencies = rotaryFrequencies(spec, divisors);
    this.#magnitude = spec.magnitude;
    this.#staging = new Float32Array(maxChunkRows * spec.rotatedDims);
    this.#maxRows = maxRows;
    this.buffer = device.memory.storage('activations', 'rotary angles', maxRows * spec.rotatedDims * 4);
    this.#chunk = maxChunkRows > maxRows ? device.memory.storage('activations', 'chunk rotary angles', this.#staging.byteLength) : null;
  }

  /** Queued in order with the submissions around it. More rows than a step has wait for `encodeBlock`. */
  write(step: Step): void {
    const count = writeAngles(this.#frequencies, step, this.#staging, this.#magnitude);
    const target = this.#chunk && step.rows > this.#maxRows ? this.#chunk : this.buffer;
    this.#device.gpu.queue.writeBuffer(target, 0, this.#staging, 0, count);
  }

  /** Puts the angles of a block of the chunk in place. */
  encodeBlock(encoder: GPUCommandEncoder, { first, rows }: RowBlock): void {
    const rowBytes = 8 * this.#frequencies.length;
    if (this.#chunk) encoder.copyBufferToBuffer(this.#chunk, first * rowBytes, this.buffer, 0, rows * rowBytes);
  }

  free(): void {
    for (const buffer of [this.buffer, this.#chunk]) if (buffer) this.#device.memory.free(buffer);
  }
}

/** The tensor of divisors for a context of this size, if any. */
export function divisorsFor({ divisors, longDivisors }: RotarySpec, contextTokens: number): string | null {
  return longDivisors && contextTokens > longDivisors.afterTokens ? longDivisors.tensor : divisors;
}

/** Radians per position for each pair of dimensions. */
export function rotaryFrequencies(spec: RotarySpec, divisors: Float32Array | null): Float64Array {
  return Float64Array.from({ length: spec.rotatedDims / 2 }, (_, i) => {
    const frequency = spec.positionScale * spec.base ** ((-2 * i) / spec.rotatedDims);
    const divided = divisors ? frequency / divisors[i] : frequency;
    return spec.yarn ? divided * yarnShare(spec, spec.yarn, i) : divided;
  });
}

/** What YaRN multiplies the frequency of pair i by: from 1 for fast pairs to 1 / factor for slow ones. */
function yarnShare({ rotatedDims, base }: RotarySpec, { factor, originalTokens, fastTurns, slowTurns }: YarnSpec, i: number): number {
  /** The pair, as a real number, that turns so often in the original context. */
  const pairOf = (turns: number): number => (rotatedDims * Math.log(originalTokens / (2 * Math.PI * turns))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairOf(fastTurns)));
  const high = Math.min(rotatedDims - 1, Math.ceil(pairOf(slowTurns)));
  const slow = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
  return slow / factor + 1 - slow;
}

/** Fills `out` with `magnitude` · (cos, sin) of the step's rows; returns how many numbers were written. */
export function writeAngles(frequencies: Float64Array, { position, rows }: Step, out: Float32Array, magnitude = 1): number {
  let index = 0;
  for (let row = 0; row < rows; row++) {
    for (const frequency of frequencies) {
      const angle = (position + row) * frequency;
      out[index++] = magnitude * Math.cos(angle);
      out[index++] = magnitude * Math.sin(angle);
    }
  }
  return index;
}

/** Two specs that rotate alike share one table. */
export function rotaryKey(spec: RotarySpec): string {
  return JSON.stringify(spec);
}
