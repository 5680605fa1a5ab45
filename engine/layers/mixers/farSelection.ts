/**
 * Decoding beyond the GPU: a policy chooses far tokens, which are attended to exactly, those that are not in slots after
 * they were fetched; the rest is estimated. What follows is encoded while the CPU learns what must be fetched.
 */
import type { Device } from '../../device/device.ts';
import { EngineError } from '../../errors.ts';
import type { FarContext } from '../../kv/tiers/farContext.ts';
import type { FarLayer } from '../../kv/tiers/farLayer.ts';
import { type HeadKeys, headKeys, type LayerReport } from '../../kv/tiers/farReport.ts';
import { oversample, scannedPlanes } from '../../kv/tiers/plan.ts';
import type { LayerRequests, RequestCopy } from '../../kv/tiers/requestReader.ts';
import type { SketchSelectStep } from '../../retrieval/sketchSelect.ts';
import type { Step } from '../step.ts';

export class FarSelection {
  readonly #device: Device;
  readonly #context: FarContext;
  readonly #layer: FarLayer;
  readonly #queries: GPUBuffer;
  /** What the policy `graph` has chosen for each KV head. */
  #found: Promise<Uint32Array[]> = Promise.resolve([]);
  /** Of the slots' weights. */
  #weighed: { version: number; sealed: number } | null = null;
  /** Resolves when the chosen tokens can be attended to. */
  #fetching: Promise<void> = Promise.resolve();

  /** `queries`: [1][heads·headDim] f32 while decoding. */
  constructor(device: Device, context: FarContext, layer: FarLayer, queries: GPUBuffer) {
    this.#device = device;
    this.#context = context;
    this.#layer = layer;
    this.#queries = queries;
  }

  /** Whether the policy chooses among far tokens, and there are any. */
  get selects(): boolean {
    const { name } = this.#context.policy;
    return name !== 'full' && name !== 'window' && this.#context.farTokens > 0;
  }

  /** Whether choosing needs more than what is on the GPU: it then comes after the ring's attention. */
  get choosesLate(): boolean {
    return this.#context.policy.name === 'flat' || this.#context.policy.name === 'graph';
  }

  /** First, from the queries: the choice, and where the chosen tokens are. */
  encodeChoice(pass: GPUComputePassEncoder, step: Step): void {
    if (!this.selects) return;
    const { scratch, rolls } = this.#context;
    if (!rolls) this.#weighed = null;
    else {
      this.#weighSlots(pass);
      if (!this.#context.misses.isTurnOf(this.#layer.index, step)) return;
    }
    scratch.select.write(this.#choice());
    scratch.lookups.begin(step, this.#limits, this.#context.misses.agesSlots(step));
    if (this.choosesLate) return;
    if (!rolls) this.#encodeCounts(pass);
    this.#choose(pass);
    this.#lookUp(pass);
  }

  /** Where it may have changed what lies in slots, or was sealed. */
  #weighSlots(pass: GPUComputePassEncoder): void {
    const { sealed, clusters } = this.#context;
    const { version } = this.#layer.memory.table;
    if (this.#weighed?.version === version && this.#weighed.sealed === sealed) return;
    this.#weighed = { version, sealed };
    this.#layer.weighSlots.encode(pass, clusters);
  }

  /** After the choice was encoded: the CPU's share of it, if it has one, goes on beside the ring's attention. */
  afterChoice(): ((encoder: GPUCommandEncoder) => Promise<void>) | null {
    if (!this.selects || this.#context.policy.name !== 'graph') return null;
    return (encoder) => this.#beginWalking(encoder);
  }

  /** What needs no chosen token that is still to come. */
  encodeRest(pass: GPUComputePassEncoder, step: Step): void {
    const { lags, rolls } = this.#context;
    if (this.choosesLate) {
      // Others hear when they have fetched.
      if (lags) this.#writeListed(false);
      return;
    }
    if (!rolls) this.#encodeSelection(pass);
    if (this.attendsTogether) this.#attendTogether(pass, step);
    else this.#estimate(pass, step);
  }

  /** To the ring, to slots and to clusters. */
  #attendTogether(pass: GPUComputePassEncoder, step: Step): void {
    const { rolls, policy, clusters, plan, scratch } = this.#context;
    const { together } = this.#layer;
    const { ring, far, rest } = scratch.splits(1);
    const parts = rolls ? together.held : together.list;
    parts.write(0, { keys: clusters, firstSplit: ring + far, continued: false });
    parts.write(1, { keys: rolls ? plan.slots : 0, firstSplit: ring, continued: false });
    parts.write(2, { keys: 0, firstSplit: 0, continued: false });
    parts.encode(pass, step, [policy.estimate ? rest : 0, far, ring]);
  }

  /** After the rest was encoded: submits; resolves when the chosen tokens can be attended to. */
  afterRest(step: Step): ((encoder: GPUCommandEncoder) => Promise<void>) | null {
    const { lags, observer, policy } = this.#context;
    if (!this.selects || (lags && !this.choosesLate && !observer)) return null;
    return async (encoder) => {
      let chosen = encoder;
      if (this.choosesLate) {
        this.#submit(encoder);
        chosen = await (policy.name === 'graph' ? this.#chooseFound(step) : this.#chooseByScores(step));
      }
      if (lags) this.#submit(chosen);
      else this.#beginFetching(chosen);
      await this.#fetching;
      await observer?.observe(this.#layer);
    };
  }

  /** Attends to the chosen tokens: may be encoded before they are known. */
  encodeChosen(pass: GPUComputePassEncoder, step: Step): void {
    if (this.attendsTogether) return;
    if (!this.#context.lags) this.#layer.scatter.encode(pass);
    this.#attend(pass, step);
  }

  /** Whether what is attended to is there as soon as it is chosen: ring, slots and clusters then take one dispatch. */
  get attendsTogether(): boolean {
    return this.selects && this.#context.lags && !this.choosesLate;
  }

  #attend(pass: GPUComputePassEncoder, step: Step): void {
    this.#layer.listed.encode(pass, step, this.#context.scratch.splits(1).far);
  }

  get #limits(): { room: number; requestLimit: number } {
    const { scratch, lags, lagged } = this.#context;
    return { room: scratch.room, requestLimit: lags ? lagged.requestLimit : scratch.room };
  }

  #choice(): SketchSelectStep {
    const { sealed, wanted, plan, misses } = this.#context;
    const proposals = Math.max(1, Math.min(oversample, Math.floor(plan.maxCandidates / wanted)));
    return { sealedTokens: sealed, wanted, oversample: proposals, scanPlanes: Math.min(scannedPlanes, plan.layout.planes), follow: misses.follow };
  }

  #choose(pass: GPUComputePassEncoder): void {
    const { select, selectScored, clusterScores, pageScores } = this.#layer;
    const { policy, sealed, wanted, misses } = this.#context;
    if (policy.name === 'sketch') {
      if (!select) throw new EngineError('internal', 'The policy “sketch” needs an index that this context was opened without.', 'Load the model again with this policy.');
      select.encode(pass, this.#choice());
      return;
    }
    const scores = policy.name === 'quest' ? pageScores : clusterScores;
    if (!scores) throw new EngineError('internal', 'The policy “quest” needs page bounds, which this context was opened without.', 'Load the model again with this policy.');
    scores.encode(pass, sealed);
    selectScored.encode(pass, { entries: sealed, wanted, follow: misses.follow });
  }

  #lookUp(pass: GPUComputePassEncoder): void {
    const { lookup, lookupLagged } = this.#layer;
    const { lags } = this.#context;
    if (lags) this.#context.noteAsking(this.#layer);
    (lags ? lookupLagged : lookup).encode(pass);
  }

  #encodeCounts(pass: GPUComputePassEncoder): void {
    const { clusters, policy } = this.#context;
    if (policy.estimate) this.#layer.discount.encodeCounts(pass, clusters);
  }

  #encodeSelection(pass: GPUComputePassEncoder): void {
    const { clusters, policy } = this.#context;
    if (policy.estimate) this.#layer.discount.encodeSelection(pass, clusters);
  }

  #estimateRest(pass: GPUComputePassEncoder, step: Step): void {
    const { clusters, policy } = this.#context;
    if (policy.estimate) this.#layer.discount.encode(pass, clusters);
    this.#estimate(pass, step);
  }

  /** What is not chosen, by clusters. */
  #estimate(pass: GPUComputePassEncoder, step: Step): void {
    const { clusters, policy, scratch } = this.#context;
    if (!policy.estimate) return;
    const splits = scratch.splits(step.rows);
    this.#layer.estimated.write({ keys: clusters, firstSplit: splits.ring + splits.far, continued: false });
    this.#layer.estimated.encode(pass, step, splits.rest);
  }

  /** Streams all keys for their scores; the returned encoder holds the choice. */
  async #chooseByScores(step: Step): Promise<GPUCommandEncoder> {
    const context = this.#context;
    const { scoreRange, selectScored } = this.#layer;
    await context.settled();
    for (let first = 0; first < context.sealed; first += context.plan.stageTokens) {
      const tokens = Math.min(context.plan.stageTokens, context.sealed - first);
      await context.stage(this.#layer.index, first, tokens);
      scoreRange.write({ first, tokens });
      this.#run((pass) => scoreRange.encode(pass));
    }
    const later = this.#device.gpu.createCommandEncoder();
    const pass = later.beginComputePass();
    selectScored.encode(pass, { entries: context.sealed, wanted: context.wanted });
    this.#lookUp(pass);
    this.#estimateRest(pass, step);
    pass.end();
    return later;
  }

  /** Sends the queries to the graphs, which are searched while the GPU attends to the ring. */
  #beginWalking(encoder: GPUCommandEncoder): Promise<void> {
    const { graphs, sealed, wanted, plan } = this.#context;
    if (!graphs) throw new EngineError('internal', 'The policy “graph” needs the prompt’s queries, which this context was opened without.', 'Load the model again with this policy.');
    const copy = graphs.reader.encode(encoder, this.#queries);
    this.#submit(encoder);
    this.#found = graphs.reader.read(copy).then(async (queries) => {
      await this.#context.settled();
      await graphs.reader.settled();
      return graphs.index.choose(this.#layer.index, queries, { sealed, wanted, maxSelected: plan.maxSelected });
    });
    // Whoever waits for it hears of a failure.
    this.#found.catch(() => undefined);
    return Promise.resolve();
  }

  /** The returned encoder finds the slots of what the graphs chose. */
  async #chooseFound(step: Step): Promise<GPUCommandEncoder> {
    const chosen = await this.#found;
    const { selection } = this.#context.scratch;
    const { queue } = this.#device.gpu;
    for (const [kvHead, tokens] of chosen.entries()) queue.writeBuffer(selection.tokens, 4 * kvHead * selection.maxSelected, tokens as Uint32Array<ArrayBuffer>);
    queue.writeBuffer(selection.counts, 0, Uint32Array.from(chosen, ({ length }) => length));
    const later = this.#device.gpu.createCommandEncoder();
    const pass = later.beginComputePass();
    this.#lookUp(pass);
    this.#estimateRest(pass, step);
    pass.end();
    return later;
  }

  #beginFetching(encoder: GPUCommandEncoder): void {
    const copy = this.#context.requestReader.encode(encoder, this.#layer.memory.table.requests);
    this.#submit(encoder);
    this.#fetching = this.#fetch(copy);
    // Whoever waits for it hears of a failure.
    this.#fetching.catch(() => undefined);
  }

  async #fetch(first: RequestCopy): Promise<void> {
    const { bytes } = this.#context.store;
    const startMs = performance.now();
    try {
      let requests = await this.#context.requestReader.read(first);
      const readMs = performance.now();
      const before = { ...bytes };
      const heads = headKeys(requests);
      await this.#context.settled();
      const { room } = this.#context.scratch;
      const chosen = Math.max(...this.#perHead((kvHead) => requests.chosen(kvHead)));
      let hitKeys = requests.sum(requests.hits);
      let exactKeys = requests.sum(requests.lookedUp);
      await this.#deliver(requests);
      // More than the slots hold is attended to in turns; the last one is the caller's.
      for (let done = room; done < chosen; done += room) {
        requests = await this.#attendAndGoOn(done);
        hitKeys += requests.sum(requests.hits);
        exactKeys += requests.sum(requests.lookedUp);
        for (const [kvHead, head] of heads.entries()) head.hits += requests.hits(kvHead);
        await this.#deliver(requests);
      }
      this.#writeListed(chosen > room);
      this.#report({ hitKeys, exactKeys, ramReadBytes: bytes.ramReadBytes - before.ramReadBytes, diskReadBytes: bytes.diskReadBytes - before.diskReadBytes, waitMs: readMs - startMs, fetchMs: performance.now() - readMs }, heads);
    } catch (error) {
      // Slots may be reserved for what never came.
      this.#layer.memory.table.forgetFrom(0);
      throw error;
    }
  }

  #deliver(requests: LayerRequests): Promise<void> {
    const { scratch, store } = this.#context;
    return scratch.arrivals.deliver(store, this.#layer.index, requests, () => this.#run((pass) => this.#layer.scatter.encode(pass)));
  }

  /** Attends to what is listed and looks up the chosen tokens from `done` on. */
  async #attendAndGoOn(done: number): Promise<LayerRequests> {
    const { scratch, requestReader } = this.#context;
    const { lookupFurther, memory } = this.#layer;
    this.#writeListed(done > scratch.room);
    scratch.lookups.goOn(done, this.#limits);
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.encodeChosen(pass, { rows: 1, position: 0 });
    lookupFurther.encode(pass);
    pass.end();
    const copy = requestReader.encode(encoder, memory.table.requests);
    this.#submit(encoder);
    return requestReader.read(copy);
  }

  #writeListed(continued: boolean): void {
    this.#layer.listed.write({ keys: 0, firstSplit: this.#context.scratch.splits(1).ring, continued });
  }

  #report(known: Omit<LayerReport, 'farKeys' | 'estimatedKeys' | 'missedKeys' | 'droppedKeys' | 'chosenKeys' | 'fetchedKeys'>, heads: readonly HeadKeys[]): void {
    const { policy, farTokens, plan, report } = this.#context;
    const farKeys = farTokens * plan.layout.kvHeads;
    const others = farKeys - known.exactKeys;
    report.add(
      this.#layer.index,
      {
        ...known,
        farKeys,
        estimatedKeys: policy.estimate ? others : 0,
        missedKeys: 0,
        droppedKeys: policy.estimate ? 0 : others,
        chosenKeys: known.exactKeys,
        fetchedKeys: known.exactKeys - known.hitKeys,
      },
      heads,
    );
  }

  #perHead(of: (kvHead: number) => number): number[] {
    return Array.from({ length: this.#context.plan.layout.kvHeads }, (_, kvHead) => of(kvHead));
  }

  #run(encode: (pass: GPUComputePassEncoder) => void): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    this.#submit(encoder);
  }

  #submit(encoder: GPUCommandEncoder): void {
    this.#device.gpu.queue.submit([encoder.finish()]);
  }
}
