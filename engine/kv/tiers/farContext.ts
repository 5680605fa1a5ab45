/**
 * What all far layers share: how much of the sequence is sealed, the store that holds it, and the policy. Sealing moves
 * whole segments out of the rings, before a step needs their room; going back brings the end of the shorter sequence
 * into the rings again.
 */
import type { Device } from '../../device/device.ts';
import { GraphIndex, type GraphOptions } from '../../retrieval/graph/graphIndex.ts';
import { QueryReader } from '../../retrieval/graph/queryReader.ts';
import { clusterTokensOf, segmentsAtOnce, sinkTokens } from '../../retrieval/layout.ts';
import type { Step } from '../../layers/step.ts';
import { encodeIndex, type FarLayer } from './farLayer.ts';
import { FarReport, headKeys, laterReport } from './farReport.ts';
import type { FarScratch } from './farScratch.ts';
import type { FarStore } from './farStore.ts';
import { FarWindows } from './farWindows.ts';
import { WindowPace } from './windowPace.ts';
import { type TierPlan, windowTokens } from './plan.ts';
import { defaultPolicy, type Policy, wantedTokens } from './policy.ts';
import { recordWords } from './record.ts';
import { FarSparseReading } from '../../layers/sparseReading/farSparseReading.ts';
import type { SparseReading } from '../../layers/sparseReading/sparseReading.ts';
import { LaggedMisses, type LaggedNews } from './laggedMisses.ts';
import { Misses } from './misses.ts';
import { type AskedByLayer, RequestReader } from './requestReader.ts';
import { Sealer } from './sealer.ts';

export class FarContext {
  readonly plan: TierPlan;
  readonly store: FarStore;
  readonly scratch: FarScratch;
  readonly windows: FarWindows;
  readonly pace: WindowPace;
  readonly report = new FarReport();
  readonly requestReader: RequestReader;
  readonly misses = new Misses(() => this);
  readonly lagged: LaggedMisses;
  /** For the policy `graph`; null when the context was opened without. */
  readonly graphs: { index: GraphIndex; reader: QueryReader } | null;
  /** How documents are read beyond some length; null where everything is attended to. */
  readonly reading: FarSparseReading | null;
  policy: Policy = defaultPolicy;
  /** Looks on at each layer of a decoding step that chooses far tokens, once they are attended to. */
  observer: { observe(layer: FarLayer): Promise<unknown> } | null = null;
  /** In the order of the model's layers; filled while the runner is built. */
  readonly layers: FarLayer[] = [];
  readonly #device: Device;
  readonly #sealer: Sealer;
  /** Layers that looked something up in this step without waiting for it. */
  readonly #asking = new Set<number>();
  /** What steps before have asked for, on its way; null when it has been sent. */
  #arriving: Promise<void> | null = null;
  #sealed = 0;
  /** Far segments whose index is built, sealed or not. */
  #indexed = 0;

  constructor(device: Device, plan: TierPlan, scratch: FarScratch, store: FarStore, { graphs, sparseReading }: { graphs?: GraphOptions | null; sparseReading?: SparseReading | null } = {}) {
    this.#device = device;
    this.plan = plan;
    this.scratch = scratch;
    this.store = store;
    this.requestReader = new RequestReader(device, { kvHeads: plan.layout.kvHeads, maxRequests: scratch.room });
    this.lagged = new LaggedMisses(device, { kvHeads: plan.layout.kvHeads, room: scratch.room, held: scratch.held });
    this.#sealer = new Sealer(device, plan, scratch, store, this.layers);
    this.pace = new WindowPace(device.facts.kind);
    this.graphs = graphs ? openGraphs(device, graphs, store, plan) : null;
    this.reading = sparseReading ? new FarSparseReading(device, sparseReading, plan.layout, plan.layout.capacityTokens) : null;
    this.windows = new FarWindows(device, plan, scratch, store, this.#sealer);
  }

  /** Whether a decoding step must wait for the CPU on its way. */
  get waits(): boolean {
    return this.policy.name !== 'window' && (!this.lags || this.policy.name === 'flat' || this.policy.name === 'graph');
  }

  /** Whether chosen tokens that are not on the GPU are left to later steps. */
  get lags(): boolean {
    return this.misses.lag;
  }

  /** Whether a step attends to everything in slots, and layers choose in turn. */
  get rolls(): boolean {
    return this.misses.roll;
  }

  /** A layer looked something up that this step does not wait for. */
  noteAsking({ index }: FarLayer): void {
    this.#asking.add(index);
  }

  /** Tokens that are no longer in the rings. */
  get sealed(): number {
    return this.#sealed;
  }

  /** The words of one stored vector. */
  get words(): number {
    return recordWords(this.plan.format, this.plan.layout.headDim);
  }

  /** Far tokens a selection can choose from. */
  get farTokens(): number {
    return Math.max(0, this.#sealed - sinkTokens);
  }

  /** Far tokens once the sequence has `length` tokens. */
  farTokensAt(length: number): number {
    const { segmentTokens } = this.plan.layout;
    return Math.max(0, Math.floor((length - windowTokens) / segmentTokens) * segmentTokens - sinkTokens);
  }

  /** Bytes that a chunk from `position` on has to bring from beyond the GPU; of one that is read sparsely, about. */
  farBytesAt(position: number, sparse = false): number {
    const { segmentTokens, kvHeads } = this.plan.layout;
    const sealed = Math.max(0, Math.floor((position - windowTokens) / segmentTokens) * segmentTokens);
    const share = sparse ? (this.reading?.setting.share ?? 1) : 1;
    return 8 * this.words * kvHeads * sealed * share * this.layers.length;
  }

  /** Tokens to attend to exactly in the next step. */
  get wanted(): number {
    return wantedTokens(this.policy, this.farTokens, this.plan.maxSelected);
  }

  /** Clusters that stand for sealed tokens. */
  get clusters(): number {
    return this.#sealed / clusterTokensOf(this.plan.layout);
  }

  /** Makes room in the rings for a step at `position`: every token before it has been computed. `arrived` must follow. */
  async makeRoom({ position, rows }: Step): Promise<void> {
    await this.arrived();
    this.misses.noteStep({ position, rows });
    this.#asking.clear();
    // The newest step may still run: what it asks for is fetched later.
    await this.#beginDelivery(this.lags ? 1 : 0);
    const { segmentTokens, capacityTokens } = this.plan.layout;
    const sealable = Math.min(Math.floor((position - windowTokens) / segmentTokens) * segmentTokens, capacityTokens);
    this.index(sealable);
    while (this.#sealed < sealable) {
      await this.#sealer.seal(this.#sealed / segmentTokens);
      this.#sealed += segmentTokens;
    }
  }

  /** After the last layer of a decoding step was encoded. */
  endStep(encoder: GPUCommandEncoder): void {
    const { lags, rolls, policy, farTokens } = this;
    this.misses.noteStepEnd();
    if (!lags) return;
    const { kvHeads } = this.plan.layout;
    this.lagged.encode(encoder, this.layers, this.#asking, (news) => {
      for (const { index } of this.layers) {
        const requests = news.requests.get(index) ?? null;
        const exactKeys = rolls ? this.#heldBy(index, news) : (requests?.sum(requests.hits) ?? 0);
        if (rolls || requests) this.report.add(index, laterReport(requests, exactKeys, { policy, farTokens, kvHeads }), requests ? headKeys(requests) : []);
      }
    });
  }

  #heldBy(layer: number, { held }: LaggedNews): number {
    const { kvHeads } = this.plan.layout;
    return held.subarray(layer * kvHeads, (layer + 1) * kvHeads).reduce((sum, count) => sum + count, 0);
  }

  /**
   * Before anything of a step is submitted: what steps before it have asked for goes into slots first. Until then it is
   * gathered beside the step's encoding.
   */
  async arrived(): Promise<void> {
    const arriving = this.#arriving;
    this.#arriving = null;
    await arriving;
  }

  /** While a step is encoded: whoever brings what was missed gets a turn. */
  async breathe(): Promise<void> {
    if (this.#arriving) await this.#device.waiter.turn();
  }

  /** Brings what steps have left to later ones, and counts it. */
  async settleLagged(): Promise<void> {
    await this.arrived();
    await this.#beginDelivery(0);
    await this.arrived();
  }

  async #beginDelivery(except: number): Promise<void> {
    if (this.lagged.waiting > except) await this.settled();
    const asked = await this.lagged.take(except);
    if (asked.length === 0) return;
    this.#arriving = this.#deliver(asked);
    // Whoever waits for it hears of a failure.
    this.#arriving.catch(() => undefined);
  }

  /** `asked`: by steps. */
  async #deliver(asked: readonly (readonly AskedByLayer[])[]): Promise<void> {
    const { layers, store, scratch } = this;
    for (const { layer } of asked.flat()) layers[layer].memory.table.version++;
    try {
      for (const ofStep of asked) {
        await scratch.arrivals.deliverAll(store, ofStep, (encoder, arrived) => {
          const pass = encoder.beginComputePass();
          for (const { layer, arrivals } of arrived) layers[layer].scatter.encodeAmong(pass, arrivals);
          pass.end();
        });
      }
    } catch (error) {
      // Slots are reserved for what never came.
      for (const { memory } of layers) memory.table.forgetFrom(0);
      throw error;
    }
  }

  /** Whether a step attends to everything, which streams past it. */
  streams({ rows, exact }: Step): boolean {
    return exact || rows > 1 || this.policy.name === 'full';
  }

  /** Starts to bring everything far for a chunk, layer by layer. */
  beginReading(chunk: Step): void {
    if (chunk.rows > 1 || chunk.exact) this.misses.noteReading();
    this.scratch.chunk.step.write(chunk);
    if (this.readsSparsely(chunk)) {
      this.reading?.tally.note(chunk.rows, this.reading.sharesOf(chunk, this.#sealed));
      return;
    }
    const windowTokens = this.pace.windowTokens(chunk.rows, this.plan.layout.segmentTokens);
    this.windows.begin(this.layers.map(({ index }) => index), { first: 0, end: this.#sealed, windowTokens });
  }

  /** Whether each layer chooses what streams past the chunk. */
  readsSparsely({ rows, sparse = false }: Step): boolean {
    return this.reading !== null && sparse && rows > 1 && this.#sealed > 0;
  }

  /** Starts to bring blocks of keys to a layer, [kvHead] as many each. */
  beginChosen(layer: number, rows: number, chosen: readonly Uint32Array[]): void {
    const windowTokens = this.pace.windowTokens(rows, this.plan.layout.segmentTokens);
    this.windows.beginChosen(layer, chosen, windowTokens);
  }

  /** Forgets what `beginReading` began. */
  cancelReading(): Promise<void> {
    return this.windows.cancel();
  }

  /** Waits until everything sealed can be read from the store. */
  async settled(): Promise<void> {
    await this.#sealer.settled();
  }

  /** Builds the index of whole far segments of the first `length` tokens, whose keys are still in the rings or sealed. */
  index(length: number): void {
    const { segmentTokens, capacityTokens } = this.plan.layout;
    const whole = Math.min(Math.floor(length / segmentTokens), capacityTokens / segmentTokens);
    while (this.#indexed < whole) {
      const segments = Math.min(segmentsAtOnce, whole - this.#indexed);
      this.#buildIndex({ first: this.#indexed, segments });
      this.#indexed += segments;
    }
  }

  /**
   * Begins with `length` tokens that the store can read; the index of the far segments in `indexed` is in place
   * already. The ends of the layers go to their rings, what is older counts as sealed.
   */
  async adopt(length: number, indexed: ReadonlySet<number>): Promise<void> {
    const { segmentTokens } = this.plan.layout;
    await this.settleLagged();
    this.misses.noteReading();
    await this.graphs?.index.truncate(0);
    const whole = Math.floor(length / segmentTokens);
    const sealed = Math.max(0, Math.floor((length - windowTokens) / segmentTokens));
    for (let segment = 0; segment < whole; segment++) {
      if (indexed.has(segment)) continue;
      for (const layer of this.layers) await this.#refill(layer, segment * segmentTokens, segmentTokens);
      this.#buildIndex({ first: segment, segments: 1 });
    }
    for (const layer of this.layers) {
      layer.memory.table.forgetFrom(0);
      if (length >= sinkTokens) await this.#fetchSinks(layer);
      for (let first = sealed * segmentTokens; first < length; first += segmentTokens) {
        await this.#refill(layer, first, Math.min(segmentTokens, length - first));
      }
    }
    this.#sealed = sealed * segmentTokens;
    this.#indexed = whole;
  }

  /** Cuts the sequence to `length` tokens; the rings then hold its end. */
  async truncate(length: number): Promise<void> {
    await this.settled();
    await this.settleLagged();
    const { segmentTokens } = this.plan.layout;
    this.misses.noteCut(length);
    if (length >= this.#sealed) return;
    const sealed = Math.max(0, Math.floor((length - windowTokens) / segmentTokens)) * segmentTokens;
    const refill = Math.min(length, this.#sealed);
    for (let first = sealed; first < refill; first += this.plan.stageTokens) {
      const tokens = Math.min(this.plan.stageTokens, refill - first);
      for (const layer of this.layers) await this.#refill(layer, first, tokens);
    }
    this.#sealed = sealed;
    this.#indexed = Math.min(this.#indexed, Math.floor(length / segmentTokens));
    this.store.truncate(sealed / segmentTokens);
    await this.graphs?.index.truncate(sealed);
    for (const { memory } of this.layers) memory.table.forgetFrom(sealed);
  }

  free(): void {
    for (const { memory } of this.layers) memory.free();
    this.#sealer.free();
    this.windows.free();
    this.requestReader.free();
    this.lagged.free();
    this.reading?.free();
    this.graphs?.reader.free();
    this.graphs?.index.free();
    this.scratch.free();
    this.store.free();
  }

  /** Brings tokens [first, first + tokens) of a layer to the first stage, in heads of `stageTokens`. */
  async stage(layer: number, first: number, tokens: number): Promise<void> {
    this.windows.begin([layer], { first, end: first + tokens, windowTokens: tokens, stage: 0 });
    const window = await this.windows.next();
    const encoder = this.#device.gpu.createCommandEncoder();
    window.encode(encoder);
    this.#device.gpu.queue.submit([encoder.finish()]);
    window.submitted();
  }

  async #refill(layer: FarLayer, first: number, tokens: number): Promise<void> {
    await this.stage(layer.index, first, tokens);
    const span = { position: first, tokens, stride: this.plan.stageTokens, first: 0 };
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const move of Object.values(layer.unpack)) {
      move.write(span);
      move.encode(pass);
    }
    pass.end();
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  #buildIndex(some: { first: number; segments: number }): void {
    this.scratch.segment.write(some.first);
    const encoder = this.#device.gpu.createCommandEncoder();
    for (const layer of this.layers) {
      const pass = encoder.beginComputePass({ label: 'index' });
      encodeIndex(pass, layer, this.plan.layout, some);
      pass.end();
    }
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  async #fetchSinks({ index, memory }: FarLayer): Promise<void> {
    const { kvHeads } = this.plan.layout;
    const sinkWords = sinkTokens * this.words;
    const target = new Uint32Array(kvHeads * sinkWords);
    for (const part of [0, 1] as const) {
      await this.store.range(index, part, 0, sinkTokens, target, sinkTokens);
      for (let head = 0; head < kvHeads; head++) {
        const buffer = part === 0 ? memory.slotKeys : memory.slotValues;
        this.#device.gpu.queue.writeBuffer(buffer, 4 * head * this.plan.slots * this.words, target, head * sinkWords, sinkWords);
      }
    }
  }
}

function openGraphs(device: Device, options: GraphOptions, store: FarStore, plan: TierPlan): { index: GraphIndex; reader: QueryReader } {
  const { heads, headDim } = plan.layout;
  const index = new GraphIndex(options, store, plan);
  return { index, reader: new QueryReader(device, index, { heads, headDim, maxRows: Math.max(plan.maxRows, plan.maxChunkRows) }) };
}
