/** Far layers without a model around them: noise and planted keys go to their rings, queries straight to attention. */
import type { Device } from '../../engine/device/device.ts';
import { encodeDispatch, type Kernel } from '../../engine/device/kernel.ts';
import { packUniforms } from '../../engine/device/uniforms.ts';
import { floatsToHalves } from '../../engine/formats/half.ts';
import { FarContext } from '../../engine/kv/tiers/farContext.ts';
import { FarMemory } from '../../engine/kv/tiers/farLayer.ts';
import { FarScratch } from '../../engine/kv/tiers/farScratch.ts';
import { FarStore } from '../../engine/kv/tiers/farStore.ts';
import type { TierPlan } from '../../engine/kv/tiers/plan.ts';
import { createFarMixer } from '../../engine/layers/mixers/farMixer.ts';
import type { Part } from '../../engine/layers/part.ts';
import { StepUniform } from '../../engine/layers/step.ts';
import type { AttentionSpec } from '../../engine/models/spec.ts';
import type { BlockWeights } from '../../engine/models/weights.ts';
import type { BlockStore } from '../../engine/ports.ts';
import type { Needle, Needles } from './needles.ts';
import noiseText from './noise.wgsl';

interface SyntheticLayer {
  memory: FarMemory;
  means: GPUBuffer;
  span: GPUBuffer;
  noise: { kernel: Kernel; bindings: GPUBindGroup };
  /** [heads·headDim] f32. */
  queries: GPUBuffer;
  mixed: GPUBuffer;
}

export interface SyntheticOptions {
  layers: number;
  /** Of the noise. */
  seed: number;
  ramBudgetBytes: number;
  disk: BlockStore | null;
  needles: Needles;
}

export class SyntheticLayers {
  readonly context: FarContext;
  readonly layers: readonly SyntheticLayer[];
  readonly #device: Device;
  readonly #plan: TierPlan;
  readonly #parts: readonly Part[];
  readonly #step: StepUniform;
  readonly #needles: Needles;
  readonly #seed: number;
  #length = 0;

  private constructor(device: Device, context: FarContext, layers: SyntheticLayer[], parts: Part[], step: StepUniform, { needles, seed }: SyntheticOptions) {
    this.#device = device;
    this.context = context;
    this.layers = layers;
    this.#plan = context.plan;
    this.#parts = parts;
    this.#step = step;
    this.#needles = needles;
    this.#seed = seed;
  }

  static async create(device: Device, spec: AttentionSpec, plan: TierPlan, options: SyntheticOptions): Promise<SyntheticLayers> {
    const { layers: count, ramBudgetBytes, disk, needles } = options;
    const { heads, kvHeads, headDim, segmentTokens } = plan.layout;
    const memories = await device.memory.checked('synthetic layers', () => Array.from({ length: count }, (_, layer) => new FarMemory(device, `layer ${layer}`, plan)));
    const scratch = await device.memory.checked('scratch', () => new FarScratch(device, plan));
    const store = new FarStore({ layers: count, kvHeads, headDim, segmentTokens, format: plan.format }, { ramBudgetBytes, disk });
    const context = new FarContext(device, plan, scratch, store);
    const kernel = await device.kernels.get({ label: 'noise', texts: [noiseText], constants: {} });
    const step = new StepUniform(device);
    const storage = (label: string, floats: number): GPUBuffer => device.memory.storage('activations', label, 4 * floats);
    const projections = storage('projections', (heads + 2 * kvHeads) * headDim);
    const angles = storage('angles', headDim);
    const layers: SyntheticLayer[] = [];
    const parts: Part[] = [];
    for (const [index, memory] of memories.entries()) {
      const means = storage('mean keys', kvHeads * headDim);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) device.gpu.queue.writeBuffer(means, 4 * kvHead * headDim, needles.mean(index, kvHead) as Float32Array<ArrayBuffer>);
      const span = device.memory.allocate('activations', 'noise span', 32, 0x40 /* UNIFORM */ | 0x08 /* COPY_DST */);
      const [queries, mixed] = [storage('queries', heads * headDim), storage('mixed', heads * headDim)];
      const inputs = { projections, queries, mixed, angles, step: step.buffer, maxRows: 1, contextTokens: plan.layout.capacityTokens, normEpsilon: 1e-5 };
      const mixer = await createFarMixer(device, spec, { queryNorm: null, keyNorm: null } as BlockWeights, memory, context, inputs);
      // Queries and keys come from here, not from projections.
      parts.push(...mixer.parts.slice(1));
      layers.push({ memory, means, span, queries, mixed, noise: { kernel, bindings: kernel.bind(span, means, memory.ring.keys, memory.ring.values) } });
    }
    return new SyntheticLayers(device, context, layers, parts, step, options);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a segment of noise with these needles in it; what no longer fits the rings is sealed. */
  async append(planted: readonly Needle[]): Promise<void> {
    const { kvHeads, headDim, segmentTokens } = this.#plan.layout;
    const { queue } = this.#device.gpu;
    const position = this.#length;
    await this.context.makeRoom({ rows: segmentTokens, position });
    const headWords = headDim / 2;
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'noise' });
    for (const [layer, { span, noise }] of this.layers.entries()) {
      queue.writeBuffer(span, 0, packUniforms([(this.#seed * 0x3504f333 + layer * 0x51ed270b) >>> 0, position, this.#plan.ringSlots, headWords, kvHeads]));
      encodeDispatch(pass, noise, Math.ceil((kvHeads * headWords) / 64), segmentTokens);
    }
    pass.end();
    queue.submit([encoder.finish()]);
    for (const needle of planted) {
      const { ring } = this.layers[needle.layer].memory;
      const offsetBytes = 2 * headDim * (needle.kvHead * this.#plan.ringSlots + (needle.position % this.#plan.ringSlots));
      queue.writeBuffer(ring.keys, offsetBytes, floatsToHalves(this.#needles.keyOf(needle)) as Uint16Array<ArrayBuffer>);
      queue.writeBuffer(ring.values, offsetBytes, floatsToHalves(needle.value) as Uint16Array<ArrayBuffer>);
    }
    this.#length = position + segmentTokens;
  }

  /** One decoding step at the last position, whose queries are in the layers' buffers; resolves when it has run. */
  async decode(): Promise<void> {
    const step = { rows: 1, position: this.#length - 1, sealed: this.context.sealed };
    this.#step.write(step);
    let encoder = this.#device.gpu.createCommandEncoder();
    let pass = encoder.beginComputePass();
    let waited = Promise.resolve();
    for (const part of this.#parts) {
      part.encode(pass, step);
      const between = part.between?.(step);
      if (!between) continue;
      pass.end();
      await waited;
      waited = between(encoder);
      waited.catch(() => undefined);
      encoder = this.#device.gpu.createCommandEncoder();
      pass = encoder.beginComputePass();
    }
    pass.end();
    await waited;
    this.#device.gpu.queue.submit([encoder.finish()]);
    await this.#device.finished();
  }
}
