/** Decoding beyond the GPU: a policy chooses far tokens, which are fetched and attended to exactly; the rest is estimated. */
import type { Device } from '../../device/device.ts';
import { EngineError } from '../../errors.ts';
import type { FarContext } from '../../kv/tiers/farContext.ts';
import type { FarLayer } from '../../kv/tiers/farLayer.ts';
import { emptyReport } from '../../kv/tiers/farReport.ts';
import { oversample } from '../../kv/tiers/plan.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { SketchSelectStep } from '../../retrieval/sketchSelect.ts';
import type { Step } from '../step.ts';

export class FarSelection {
  readonly #device: Device;
  readonly #context: FarContext;
  readonly #layer: FarLayer;

  constructor(device: Device, context: FarContext, layer: FarLayer) {
    this.#device = device;
    this.#context = context;
    this.#layer = layer;
  }

  /** Whether the policy chooses among far tokens, and there are any. */
  get selects(): boolean {
    const { name } = this.#context.policy;
    return name !== 'full' && name !== 'window' && this.#context.farTokens > 0;
  }

  /** All that needs no key from outside the GPU. */
  encode(pass: GPUComputePassEncoder, step: Step): void {
    const choice = this.#choice();
    this.#context.scratch.select.write(choice);
    // Exact scores need the keys, which are not here yet.
    if (this.#context.policy.name === 'flat') return;
    this.#encodeChoice(pass, choice);
    this.#encodeRest(pass, step);
  }

  /** Submits what is encoded so far and attends to the chosen tokens. */
  async fetch(encoder: GPUCommandEncoder, step: Step): Promise<void> {
    const later = this.#context.policy.name === 'flat' ? await this.#chooseByScores(encoder, step) : encoder;
    await this.#attendChosen(later, step);
  }

  #choice(): SketchSelectStep {
    const { sealed, wanted, plan } = this.#context;
    const proposals = Math.max(1, Math.min(oversample, Math.floor(plan.maxCandidates / wanted)));
    return { sealedTokens: sealed, wanted, oversample: proposals, scanPlanes: Math.min(2, plan.layout.planes) };
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

  #submit(encode: (pass: GPUComputePassEncoder) => void): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
  }
}
