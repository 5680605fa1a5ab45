/**
 * A layer that sees everything, with its keys and values spread over GPU, RAM and disk. Reading (many rows) is exact:
 * everything far streams through (`farReading.ts`). Decoding follows the policy; where far tokens must be fetched, the
 * step waits for them between two submissions (`strict` misses).
 */
import type { Device } from '../../device/device.ts';
import type { FarContext } from '../../kv/tiers/farContext.ts';
import { bindFarLayer, type FarLayer, FarMemory } from '../../kv/tiers/farLayer.ts';
import type { AttentionSpec } from '../../models/spec.ts';
import type { AttentionWeights } from '../../models/weights.ts';
import { dimensionWeights } from '../../retrieval/dimensionWeights.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { Mixer } from '../mixer.ts';
import { attentionWork, part, rowWork } from '../part.ts';
import type { Step } from '../step.ts';
import type { AttentionInputs } from './attentionMixer.ts';
import { FarReading } from './farReading.ts';
import { FarSelection } from './farSelection.ts';
import { bindStoring } from './storeVectors.ts';

export async function createFarMixer(
  device: Device,
  spec: AttentionSpec,
  weights: AttentionWeights,
  memory: FarMemory,
  context: FarContext,
  inputs: AttentionInputs,
): Promise<Mixer> {
  const { layout } = memory.ring;
  const { rotatedDims, pairing } = spec.rotary;
  memory.sketch.weigh(dimensionWeights(weights.queryGains, { headDim: layout.headDim, rotatedDims, pairing }));
  const store = await bindStoring(device, spec, weights, memory.ring, inputs);
  const layer = await bindFarLayer(device, context.layers.length, memory, context.scratch, context.plan, inputs);
  context.layers.push(layer);
  const selection = new FarSelection(device, context, layer, inputs.queries);
  const far = new FarAttention(device, context, layer, selection);
  const reading = await FarReading.create(device, context, layer, inputs);
  const work = attentionWork({ ...layout, heads: spec.heads, window: null, bytesPerValue: 2 });
  return {
    parts: [
      part('rotary and store', store, rowWork(2 * (spec.heads + 2 * spec.kvHeads) * spec.headDim)),
      ...(inputs.watch ?? []),
      {
        name: 'choice of far tokens',
        decodingOnly: true,
        encode: (pass, step) => selection.encodeChoice(pass, step),
        between: () => selection.afterChoice(),
        work: rowWork(0),
      },
      {
        name: 'attention',
        encode: (pass, step) => far.encodeNear(pass, step),
        between: (step) => selection.afterRest(step),
        chunk: reading,
        work,
      },
      { name: 'attention merge', decodingOnly: true, encode: (pass, step) => far.encodeMerge(pass, step), work: rowWork(2 * spec.heads * spec.headDim) },
    ],
    canTruncate: () => true,
    checkpoint: () => null,
    free: () => undefined,
  };
}

class FarAttention {
  readonly #device: Device;
  readonly #context: FarContext;
  readonly #layer: FarLayer;
  readonly #selection: FarSelection;

  constructor(device: Device, context: FarContext, layer: FarLayer, selection: FarSelection) {
    this.#device = device;
    this.#context = context;
    this.#layer = layer;
    this.#selection = selection;
  }

  encodeRing(pass: GPUComputePassEncoder, step: Step): void {
    const { near } = this.#layer;
    near.write({ keys: 0, firstSplit: 0, continued: false });
    near.encode(pass, step, this.#context.scratch.splits(step.rows).ring);
  }

  /** The ring, and what else needs no chosen token that is still to come. */
  encodeNear(pass: GPUComputePassEncoder, step: Step): void {
    const { listed } = this.#layer;
    const context = this.#context;
    const splits = context.scratch.splits(step.rows);
    if (!this.#selection.attendsTogether) this.encodeRing(pass, step);
    if (context.sealed === 0) return;
    if (!this.#selection.selects) {
      // Sinks and recent tokens only; their list was written with the step.
      this.#writeSinkList();
      listed.write({ keys: 0, firstSplit: splits.ring, continued: false });
      listed.encode(pass, step, splits.far);
      return;
    }
    this.#selection.encodeRest(pass, step);
  }

  encodeMerge(pass: GPUComputePassEncoder, step: Step): void {
    const context = this.#context;
    const { ring, far, rest } = context.scratch.splits(step.rows);
    const estimates = this.#selection.selects && context.policy.estimate;
    const splits = context.sealed === 0 ? ring : estimates ? ring + far + rest : ring + far;
    if (this.#selection.selects) this.#selection.encodeChosen(pass, step);
    this.#layer.merge.encode(pass, splits, step.rows * context.plan.layout.heads);
  }

  #writeSinkList(): void {
    const { scratch, plan } = this.#context;
    const { kvHeads } = plan.layout;
    const lists = new Uint32Array(kvHeads * scratch.listCapacity);
    for (let head = 0; head < kvHeads; head++) for (let sink = 0; sink < sinkTokens; sink++) lists[head * scratch.listCapacity + sink] = sink;
    this.#device.gpu.queue.writeBuffer(scratch.list, 0, lists);
    this.#device.gpu.queue.writeBuffer(scratch.listCounts, 0, new Uint32Array(kvHeads).fill(sinkTokens));
  }
}
