/** Far layers without a model around them: keys and values go to their rings, queries straight to attention. */
import type { Device } from '../../../device/device.ts';
import { Submissions } from '../../../device/submissions.ts';
import { floatsToHalves } from '../../../formats/half.ts';
import { createFarMixer } from '../../../layers/mixers/farMixer.ts';
import type { Part } from '../../../layers/part.ts';
import { type Step, StepUniform } from '../../../layers/step.ts';
import type { AttentionSpec } from '../../../models/spec.ts';
import type { AttentionWeights } from '../../../models/weights.ts';
import type { BlockStore, SharedCopies } from '../../../ports.ts';
import { FarContext } from '../farContext.ts';
import { FarMemory } from '../farLayer.ts';
import { FarScratch } from '../farScratch.ts';
import { FarStore } from '../farStore.ts';
import type { TierPlan } from '../plan.ts';

export interface LooseLayer {
  memory: FarMemory;
  /** [heads·headDim] f32, to be written before a step. */
  queries: GPUBuffer;
  /** The same shape, the step's result. */
  mixed: GPUBuffer;
}

export interface LooseOptions {
  layers: number;
  ramBudgetBytes: number;
  disk: BlockStore | null;
  copies?: SharedCopies | null;
}

export class LooseLayers {
  readonly context: FarContext;
  readonly layers: readonly LooseLayer[];
  readonly #device: Device;
  /** Of all layers, in their order. */
  readonly parts: readonly Part[];
  readonly #step: StepUniform;
  #length = 0;

  private constructor(device: Device, context: FarContext, layers: LooseLayer[], parts: Part[], step: StepUniform) {
    this.#device = device;
    this.context = context;
    this.layers = layers;
    this.parts = parts;
    this.#step = step;
  }

  static async create(device: Device, spec: AttentionSpec, plan: TierPlan, { layers: count, ramBudgetBytes, disk, copies }: LooseOptions): Promise<LooseLayers> {
    const { heads, kvHeads, headDim, segmentTokens } = plan.layout;
    const memories = await device.memory.checked('loose layers', () => Array.from({ length: count }, (_, layer) => new FarMemory(device, `layer ${layer}`, plan)));
    const scratch = await device.memory.checked('scratch', () => new FarScratch(device, plan));
    const store = new FarStore({ layers: count, kvHeads, headDim, segmentTokens, format: plan.format }, { ramBudgetBytes, disk, copies });
    const context = new FarContext(device, plan, scratch, store);
    const step = new StepUniform(device);
    const storage = (label: string, floats: number): GPUBuffer => device.memory.storage('activations', label, 4 * floats);
    const projections = storage('projections', (heads + 2 * kvHeads) * headDim);
    const angles = storage('angles', headDim);
    const layers: LooseLayer[] = [];
    const parts: Part[] = [];
    for (const memory of memories) {
      const [queries, mixed] = [storage('queries', heads * headDim), storage('mixed', heads * headDim)];
      const inputs = { projections, queries, mixed, angles, step: step.buffer, maxRows: 1, contextTokens: plan.layout.capacityTokens, normEpsilon: 1e-5 };
      const mixer = await createFarMixer(device, spec, { queryNorm: null, queryGains: null, keyNorm: null } as AttentionWeights, memory, context, inputs);
      // Queries and keys come from outside, not from projections.
      parts.push(...mixer.parts.slice(1));
      layers.push({ memory, queries, mixed });
    }
    return new LooseLayers(device, context, layers, parts, step);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds `tokens` tokens, at most a chunk, once the rings have room for them; `write` brings their keys and values there. */
  async append(tokens: number, write: (position: number) => void): Promise<void> {
    await this.context.makeRoom({ rows: tokens, position: this.#length });
    write(this.#length);
    this.#length += tokens;
  }

  /** Writes a token's key and value, [headDim] each, to a layer's ring. */
  write({ layer, kvHead, position }: { layer: number; kvHead: number; position: number }, key: Float32Array, value: Float32Array): void {
    const { layout, ringSlots } = this.context.plan;
    const { ring } = this.layers[layer].memory;
    const offsetBytes = 2 * layout.headDim * (kvHead * ringSlots + (position % ringSlots));
    for (const [buffer, vector] of [[ring.keys, key], [ring.values, value]] as const) {
      this.#device.gpu.queue.writeBuffer(buffer, offsetBytes, floatsToHalves(vector) as Uint16Array<ArrayBuffer>);
    }
  }

  /** Seals what no longer belongs to the rings, as before a decoding step. */
  async seal(): Promise<void> {
    await this.context.makeRoom({ rows: 1, position: this.#length });
    await this.context.settled();
  }

  /** One decoding step at the last position, with the queries that are in the layers' buffers; resolves when it has run. */
  async decode(): Promise<void> {
    const { gpu } = this.#device;
    const step: Step = { rows: 1, position: this.#length - 1, sealed: this.context.sealed };
    this.#step.write(step);
    const streams = this.context.streams(step);
    if (streams) this.context.beginReading(step);
    let encoder = gpu.createCommandEncoder();
    let pass = encoder.beginComputePass();
    let waited = Promise.resolve();
    for (const part of this.parts) {
      if (streams) {
        if (!part.chunk) continue;
        pass.end();
        part.chunk.collect(encoder, { first: 0, rows: 1 });
        gpu.queue.submit([encoder.finish()]);
        await part.chunk.attend(step, { submissions: new Submissions(this.#device) });
        encoder = gpu.createCommandEncoder();
        part.chunk.distribute(encoder, { first: 0, rows: 1 }, step);
        pass = encoder.beginComputePass();
        continue;
      }
      part.encode(pass, step);
      const between = part.between?.(step);
      if (!between) continue;
      pass.end();
      await waited;
      waited = between(encoder);
      waited.catch(() => undefined);
      encoder = gpu.createCommandEncoder();
      pass = encoder.beginComputePass();
    }
    pass.end();
    await waited;
    this.context.endStep(encoder);
    gpu.queue.submit([encoder.finish()]);
    await this.#device.finished();
  }
}
