/**
 * Queries whose choice of far keys changes from step to step as much as is wanted. What a synthetic model would ask for
 * says nothing about real ones; this sets the hit ratio, and everything behind it is the real thing: scan, choice, slots,
 * misses.
 */
import type { Device } from '../../engine/device/device.ts';
import { encodeDispatch } from '../../engine/device/kernel.ts';
import { constantUniform } from '../../engine/device/uniforms.ts';
import type { FarContext } from '../../engine/kv/tiers/farContext.ts';
import { fullLayers } from '../../engine/kv/tiers/plan.ts';
import type { Part } from '../../engine/layers/part.ts';
import type { Runner } from '../../engine/runner.ts';
import driftText from './drifting_queries.wgsl';

/** Deviation of query · key, for keys of deviation 1: a few keys in a hundred have most of the weight. */
const logitDeviation = 2;

export class DriftingQueries {
  /** Between the queries of two steps, in radians; 0 asks for the same again, π / 2 for something else. */
  angle = Math.PI / 2;
  readonly #device: Device;
  readonly #turn: GPUBuffer;
  readonly #scale: number;
  #step = 0;

  private constructor(device: Device, headDim: number) {
    this.#device = device;
    this.#scale = logitDeviation / Math.sqrt(headDim);
    this.#turn = device.memory.allocate('activations', 'turn of queries', 16, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
  }

  /**
   * Puts one small kernel into each layer of a decoding step that sees everything, before it chooses far tokens; where layers
   * choose in turn, it runs in those whose turn it is. `far` is the runner's.
   */
  static async insert(device: Device, { spec, layers: parts }: Runner, far: FarContext): Promise<DriftingQueries> {
    const layers = fullLayers(spec);
    const { heads, headDim } = layers[0].mixer;
    const width = heads * headDim;
    const drifting = new DriftingQueries(device, headDim);
    const state = device.memory.storage('activations', 'drifting queries', 4 * width * layers.length);
    const kernel = await device.kernels.get({ label: 'drifting_queries', texts: [driftText], constants: {} });
    const choices = parts.flatMap(({ name }, place) => (name === 'choice of far tokens' ? [place] : []));
    // From the last on, so that the places before stay what they are.
    for (const index of [...layers.keys()].reverse()) {
      const bindings = kernel.bind(drifting.#turn, constantUniform(device, 'drifting queries place', [index, width]), state, far.layers[index].queries);
      (parts as Part[]).splice(choices[index], 0, {
        name: 'queries of the bench',
        decodingOnly: true,
        encode: (pass, step) => {
          if (index === 0) drifting.#write();
          if (far.rolls && !far.misses.isTurnOf(index, step)) return;
          encodeDispatch(pass, { kernel, bindings }, Math.ceil(width / 64));
        },
        work: () => ({ flops: 0, bytes: 12 * width }),
      });
    }
    return drifting;
  }

  #write(): void {
    // The first step must not find zeros.
    const angle = this.#step === 0 ? Math.PI / 2 : this.angle;
    const numbers = new DataView(new ArrayBuffer(16));
    numbers.setUint32(0, ++this.#step, true);
    numbers.setFloat32(4, Math.cos(angle), true);
    numbers.setFloat32(8, Math.sin(angle), true);
    numbers.setFloat32(12, this.#scale, true);
    this.#device.gpu.queue.writeBuffer(this.#turn, 0, numbers.buffer);
  }
}
