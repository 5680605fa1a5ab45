/**
 * A layer that sees everything, with its keys and values spread over GPU, RAM and disk. Reading (many rows) is exact:
 * everything far streams through. Decoding follows the policy; where far tokens must be fetched, the step waits for
 * them between two submissions (`strict` misses).
 */
import type { Device } from '../../device/device.ts';
import type { FarContext } from '../../kv/tiers/farContext.ts';
import { bindFarLayer, type FarLayer, FarMemory } from '../../kv/tiers/farLayer.ts';
import { emptyReport } from '../../kv/tiers/farReport.ts';
import { oversample } from '../../kv/tiers/plan.ts';
import { EngineError } from '../../errors.ts';
import type { AttentionSpec } from '../../models/spec.ts';
import type { BlockWeights } from '../../models/weights.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { SketchSelectStep } from '../../retrieval/sketchSelect.ts';
import { bindRotateAndStore } from '../attention/rotateAndStore.ts';
import type { Mixer } from '../mixer.ts';
import { attentionWork, part, rowWork } from '../part.ts';
import type { Step } from '../step.ts';
import type { AttentionInputs } from './attentionMixer.ts';

export async function createFarMixer(
  device: Device,
  spec: AttentionSpec,
  weights: BlockWeights,
  memory: FarMemory,
  context: FarContext,
  inputs: AttentionInputs,
): Promise<Mixer> {
  const { layout } = memory.ring;
  const store = await bindRotateAndStore(device, {
    projections: inputs.projections,
    queryNorm: weights.queryNorm ?? undefined,
    keyNorm: weights.keyNorm ?? undefined,
    epsilon: inputs.normEpsilon,
    angles: inputs.angles,
    pairing: spec.rotary.pairing,
    rotatedDims: spec.rotary.rotatedDims,
    queryScale: spec.queryScale,
    queries: inputs.queries,
    keys: memory.ring.keys,
    values: memory.ring.values,
    layout,
    heads: spec.heads,
    step: inputs.step,
    maxRows: inputs.maxRows,
  });
  const layer = await bindFarLayer(device, context.layers.length, memory, context.scratch, context.plan, inputs);
  context.layers.push(layer);
  const far = new FarAttention(device, context, layer, spec.heads);
  const work = attentionWork({ ...layout, heads: spec.heads, window: null, bytesPerValue: 2 });
  return {
    parts: [
      part('rotary and store', store, rowWork(2 * (spec.heads + 2 * spec.kvHeads) * spec.headDim)),
      {
        name: 'attention',
        encode: (pass, step) => far.encodeNear(pass, step),
        between: (step) => (context.sealed > 0 && far.waits(step) ? (encoder) => far.fetch(encoder, step) : null),
        work,
      },
      { name: 'attention merge', encode: (pass, step) => far.encodeMerge(pass, step), work: rowWork(2 * spec.heads * spec.headDim) },
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
  readonly #heads: number;

  constructor(device: Device, context: FarContext, layer: FarLayer, heads: number) {
    this.#device = device;
    this.#context = context;
    this.#layer = layer;
    this.#heads = heads;
  }

  /** Reading streams everything; decoding does so only when the policy says so, or fetches what it chose. */
  waits(step: Step): boolean {
    return this.#streams(step) || this.#selects(step);
  }

  /** The ring, and all that needs no key from outside the GPU. */
  encodeNear(pass: GPUComputePassEncoder, step: Step): void {
    const { near, listed } = this.#layer;
    const context = this.#context;
    const splits = context.scratch.splits(step.rows);
    near.write({ keys: 0, firstSplit: 0, continued: false });
    near.encode(pass, step, splits.ring);
    if (context.sealed === 0 || this.#streams(step)) return;
    if (!this.#selects(step)) {
      // Sinks and recent tokens only; their list was written with the step.
      this.#writeSinkList();
      listed.write({ keys: 0, firstSplit: splits.ring, continued: false });
      listed.encode(pass, step, splits.far);
      return;
    }
    const choice = this.#choice();
    context.scratch.select.write(choice);
    // Exact scores need the keys, which are not here yet.
    if (context.policy.name === 'flat') return;
    this.#encodeChoice(pass, choice);
    this.#encodeRest(pass, step);
  }

  #encodeChoice(pass: GPUComputePassEncoder, choice: SketchSelectStep): void {
    const { select, selectScored, clusterScores, pageScores } = this.#layer;
    const { policy, sealed } = this.#context;
    if (policy.name === 'sketch') {
      select.encode(pass, choice);
      return;
    }
    const scores = policy.name === 'quest' ? pageScores : clusterScores;
    if (!scores) throw new EngineError('internal', 'The policy “quest” needs page bounds, which this context was opened without.', 'Load the model again with this policy.');
    scores.encode(pass, sealed);
    selectScored.encode(pass, { entries: sealed, wanted: choice.wanted });
  }

  /** What is not chosen, by clusters. */
  #encodeRest(pass: GPUComputePassEncoder, step: Step): void {
    const { clusters, policy, scratch } = this.#context;
    if (!policy.estimate) return;
    const splits = scratch.splits(step.rows);
    this.#layer.discount.encode(pass, clusters);
    this.#layer.estimated.write({ keys: clusters, firstSplit: splits.ring + splits.far, continued: false });
    this.#layer.estimated.encode(pass, step, splits.rest);
  }

  encodeMerge(pass: GPUComputePassEncoder, step: Step): void {
    const context = this.#context;
    const { ring, far, rest } = context.scratch.splits(step.rows);
    const estimates = this.#selects(step) && context.policy.estimate;
    const splits = context.sealed === 0 ? ring : estimates ? ring + far + rest : ring + far;
    this.#layer.merge.encode(pass, splits, step.rows * this.#heads);
  }

  /** Submits what is encoded so far and attends to the far tokens. */
  async fetch(encoder: GPUCommandEncoder, step: Step): Promise<void> {
    const started = performance.now();
    if (this.#streams(step)) await this.#stream(encoder, step);
    else if (this.#context.policy.name === 'flat') await this.#attendChosen(await this.#chooseByScores(encoder, step), step);
    else await this.#attendChosen(encoder, step);
    if (!step.exact) this.#context.report.total.hostMs += performance.now() - started;
  }

  #streams({ rows, exact }: Step): boolean {
    return exact || rows > 1 || this.#context.policy.name === 'full';
  }

  #selects(step: Step): boolean {
    return !this.#streams(step) && this.#context.policy.name !== 'window' && this.#context.farTokens > 0;
  }

  #choice(): SketchSelectStep {
    const { sealed, wanted, plan } = this.#context;
    const proposals = Math.max(1, Math.min(oversample, Math.floor(plan.maxCandidates / wanted)));
    return { sealedTokens: sealed, wanted, oversample: proposals, scanPlanes: Math.min(2, plan.layout.planes) };
  }

  async #stream(encoder: GPUCommandEncoder, step: Step): Promise<void> {
    const context = this.#context;
    const { queue } = this.#device.gpu;
    const splits = context.scratch.splits(step.rows);
    queue.submit([encoder.finish()]);
    await context.settled();
    for (let first = 0; first < context.sealed; first += context.plan.stageTokens) {
      const tokens = Math.min(context.plan.stageTokens, context.sealed - first);
      await context.stage(this.#layer.index, first, tokens);
      this.#layer.streamed.write({ keys: tokens, firstSplit: splits.ring, continued: first > 0 });
      this.#submit((pass) => this.#layer.streamed.encode(pass, step, splits.far));
    }
    if (step.exact) return;
    const farKeys = context.sealed * context.plan.layout.kvHeads;
    context.report.add({ ...emptyReport(), farKeys, exactKeys: farKeys, missedKeys: farKeys });
  }

  /** Streams all keys for their scores; the returned encoder holds the choice. */
  async #chooseByScores(encoder: GPUCommandEncoder, step: Step): Promise<GPUCommandEncoder> {
    const context = this.#context;
    const { scoreRange, selectScored } = this.#layer;
    this.#device.gpu.queue.submit([encoder.finish()]);
    await context.settled();
    for (let first = 0; first < context.sealed; first += context.plan.stageTokens) {
      const tokens = Math.min(context.plan.stageTokens, context.sealed - first);
      await context.stage(this.#layer.index, first, tokens);
      scoreRange.write({ first, tokens });
      this.#submit((pass) => scoreRange.encode(pass));
    }
    const later = this.#device.gpu.createCommandEncoder();
    const pass = later.beginComputePass();
    selectScored.encode(pass, { entries: context.sealed, wanted: context.wanted });
    this.#encodeRest(pass, step);
    pass.end();
    return later;
  }

  async #attendChosen(encoder: GPUCommandEncoder, step: Step): Promise<void> {
    const context = this.#context;
    const { kvHeads } = context.plan.layout;
    const { list, listCounts, listCapacity } = context.scratch;
    const chosen = await this.#readSelection(encoder);
    await context.settled();
    const { slots } = this.#layer;
    const splits = context.scratch.splits(1);
    const done = new Uint32Array(kvHeads);
    const before = { hits: slots.hits, misses: slots.misses };
    let exactKeys = 0;
    // More than the slots hold is attended in batches, one after the other.
    for (let batch = 0; batch === 0 || chosen.some((tokens, head) => done[head] < tokens.length); batch++) {
      const pinned = batch === 0 ? sinkTokens : 0;
      const lists = new Uint32Array(kvHeads * listCapacity);
      const counts = new Uint32Array(kvHeads);
      const misses: { head: number; token: number; slot: number }[] = [];
      slots.begin();
      for (let head = 0; head < kvHeads; head++) {
        const base = head * listCapacity;
        for (let sink = 0; sink < pinned; sink++) lists[base + sink] = sink;
        const rest = chosen[head].subarray(done[head], done[head] + listCapacity - pinned);
        const assigned = slots.assign(head, rest, lists, base + pinned, (token, slot) => misses.push({ head, token, slot }));
        done[head] += assigned;
        counts[head] = pinned + assigned;
        exactKeys += assigned;
      }
      await this.#fill(misses);
      this.#device.gpu.queue.writeBuffer(list, 0, lists);
      this.#device.gpu.queue.writeBuffer(listCounts, 0, counts);
      this.#layer.listed.write({ keys: 0, firstSplit: splits.ring, continued: batch > 0 });
      this.#submit((pass) => this.#layer.listed.encode(pass, step, splits.far));
    }
    const farKeys = context.farTokens * kvHeads;
    const others = farKeys - exactKeys;
    context.report.add({
      ...emptyReport(),
      farKeys,
      exactKeys,
      estimatedKeys: context.policy.estimate ? others : 0,
      droppedKeys: context.policy.estimate ? 0 : others,
      hitKeys: slots.hits - before.hits,
      missedKeys: slots.misses - before.misses,
    });
  }

  /** The chosen tokens of each KV head, in ascending order. */
  async #readSelection(encoder: GPUCommandEncoder): Promise<Uint32Array[]> {
    const { kvHeads } = this.#context.plan.layout;
    const { selection } = this.#context.scratch;
    const listBytes = 4 * kvHeads * selection.maxSelected;
    const read = this.#context.readBuffer(listBytes + 4 * kvHeads);
    encoder.copyBufferToBuffer(selection.tokens, 0, read, 0, listBytes);
    encoder.copyBufferToBuffer(selection.counts, 0, read, listBytes, 4 * kvHeads);
    this.#device.gpu.queue.submit([encoder.finish()]);
    await this.#device.settle(read.mapAsync(0x01 /* READ */, 0, listBytes + 4 * kvHeads));
    const words = new Uint32Array(read.getMappedRange(0, listBytes + 4 * kvHeads).slice(0));
    read.unmap();
    return Array.from({ length: kvHeads }, (_, head) => {
      const count = words[kvHeads * selection.maxSelected + head];
      return words.subarray(head * selection.maxSelected, head * selection.maxSelected + count);
    });
  }

  /** Fetches vectors from the store and puts them into their slots. */
  async #fill(misses: readonly { head: number; token: number; slot: number }[]): Promise<void> {
    const { scratch, store, words, plan } = this.#context;
    for (let begin = 0; begin < misses.length; begin += scratch.maxArrivals) {
      const piece = misses.slice(begin, begin + scratch.maxArrivals);
      const arrivals = new Uint32Array(piece.length * 2 * words);
      const heads = Map.groupBy(
        piece.map((miss, index) => ({ ...miss, index })),
        ({ head }) => head,
      );
      // Misses come head by head, so each head's vectors are one run of the arrivals.
      await Promise.all([...heads].map(([head, ones]) => store.gather(this.#layer.index, head, ones.map(({ token }) => token), arrivals, ones[0].index * 2 * words)));
      this.#device.gpu.queue.writeBuffer(scratch.arrivals, 0, arrivals);
      this.#device.gpu.queue.writeBuffer(scratch.arrivalSlots, 0, Uint32Array.from(piece, ({ head, slot }) => head * plan.slots + slot));
      this.#layer.scatter.write(piece.length);
      this.#submit((pass) => this.#layer.scatter.encode(pass));
    }
  }

  #writeSinkList(): void {
    const { scratch, plan } = this.#context;
    const { kvHeads } = plan.layout;
    const lists = new Uint32Array(kvHeads * scratch.listCapacity);
    for (let head = 0; head < kvHeads; head++) for (let sink = 0; sink < sinkTokens; sink++) lists[head * scratch.listCapacity + sink] = sink;
    this.#device.gpu.queue.writeBuffer(scratch.list, 0, lists);
    this.#device.gpu.queue.writeBuffer(scratch.listCounts, 0, new Uint32Array(kvHeads).fill(sinkTokens));
  }

  #submit(encode: (pass: GPUComputePassEncoder) => void): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
  }
}
