/** Far layers full of noise, with planted keys in it. */
import type { Device } from '../../engine/device/device.ts';
import { encodeDispatch, type Kernel } from '../../engine/device/kernel.ts';
import { packUniforms } from '../../engine/device/uniforms.ts';
import type { TierPlan } from '../../engine/kv/tiers/plan.ts';
import { LooseLayers, type LooseOptions } from '../../engine/kv/tiers/testing/looseLayers.ts';
import type { AttentionSpec } from '../../engine/models/spec.ts';
import type { Needle, Needles } from './needles.ts';
import noiseText from './noise.wgsl';

export interface SyntheticOptions extends LooseOptions {
  /** Of the noise. */
  seed: number;
  needles: Needles;
}

interface Noise {
  span: GPUBuffer;
  bindings: GPUBindGroup;
}

export class SyntheticLayers {
  readonly loose: LooseLayers;
  readonly #device: Device;
  readonly #kernel: Kernel;
  /** Of each layer. */
  readonly #noise: readonly Noise[];
  readonly #needles: Needles;
  readonly #seed: number;

  private constructor(device: Device, loose: LooseLayers, kernel: Kernel, { needles, seed }: SyntheticOptions) {
    const { kvHeads, headDim } = loose.context.plan.layout;
    this.#device = device;
    this.loose = loose;
    this.#kernel = kernel;
    this.#needles = needles;
    this.#seed = seed;
    this.#noise = loose.layers.map(({ memory: { ring } }, layer) => {
      const means = device.memory.storage('activations', 'mean keys', 4 * kvHeads * headDim);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) device.gpu.queue.writeBuffer(means, 4 * kvHead * headDim, needles.mean(layer, kvHead) as Float32Array<ArrayBuffer>);
      const span = device.memory.allocate('activations', 'noise span', 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
      return { span, bindings: kernel.bind(span, means, ring.keys, ring.values) };
    });
  }

  static async create(device: Device, spec: AttentionSpec, plan: TierPlan, options: SyntheticOptions): Promise<SyntheticLayers> {
    const loose = await LooseLayers.create(device, spec, plan, options);
    const kernel = await device.kernels.get({ label: 'noise', texts: [noiseText], constants: {} });
    return new SyntheticLayers(device, loose, kernel, options);
  }

  /** Adds a segment of noise with these needles in it; what no longer fits the rings is sealed. */
  async append(planted: readonly Needle[]): Promise<void> {
    const { segmentTokens } = this.loose.context.plan.layout;
    await this.loose.append(segmentTokens, (position) => {
      this.#fill(position, segmentTokens);
      for (const needle of planted) this.loose.write(needle, this.#needles.keyOf(needle), needle.value);
    });
  }

  #fill(position: number, tokens: number): void {
    const { layout, ringSlots } = this.loose.context.plan;
    const headWords = layout.headDim / 2;
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'noise' });
    for (const [layer, { span, bindings }] of this.#noise.entries()) {
      const seed = (this.#seed * 0x3504f333 + layer * 0x51ed270b) >>> 0;
      this.#device.gpu.queue.writeBuffer(span, 0, packUniforms([seed, position, ringSlots, headWords, layout.kvHeads]));
      encodeDispatch(pass, { kernel: this.#kernel, bindings }, Math.ceil((layout.kvHeads * headWords) / 64), tokens);
    }
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
  }
}
