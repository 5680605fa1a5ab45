/**
 * The policy `graph`: RetrievalAttention (arXiv 2409.10516) as published. Each query head of each layer finds its k
 * keys of largest inner product by itself; a KV head attends to the union of what its query heads found, which is
 * never less than what each would attend to alone, and what a slot of the cache holds for all of them anyway.
 *
 * Graphs are made from queries of the prompt before the first token that needs them, and extended when much was
 * sealed since. Without such queries (a prompt that was read under another policy) all keys are scored.
 */
import { halvesToFloats } from '../../formats/half.ts';
import type { FarStore } from '../../kv/tiers/farStore.ts';
import { decodeRecord, type FarFormat } from '../../kv/tiers/record.ts';
import type { WorkerPool } from '../../ports.ts';
import { type FarLayout, sinkTokens } from '../layout.ts';
import { type FoundKeys, type GraphSearch, LayerGraph } from './layerGraph.ts';

export interface GraphOptions {
  pool: WorkerPool;
  /** Keys that may be scored one by one before they enter the graphs; fewer are not worth a graph. */
  unindexedKeys?: number;
}

/** What the graphs did since they were made. */
export interface GraphReport {
  /** Searches of a query head. */
  searches: number;
  /** Keys that they scored, and could have scored. */
  scoredKeys: number;
  allKeys: number;
  searchMs: number;
  buildMs: number;
  /** Sampled queries there was no room for. */
  droppedQueries: number;
}

/** Most sampled queries of a head. */
const maxQueries = 4096;
/** One token in eight is enough (RoarGraph uses a tenth). */
const leastStride = 8;
/** Keys that a search scores at most: a share of all, and a number. */
const scoredShare = 0.05;
const mostScored = 2048;
/** Fewer lists than this share of the keys do not say where queries go. */
const leastQueryShare = 1 / 100;

export class GraphIndex {
  readonly report: GraphReport = { searches: 0, scoredKeys: 0, allKeys: 0, searchMs: 0, buildMs: 0, droppedQueries: 0 };
  /** Every how many tokens of a prompt a query is kept. */
  readonly strideTokens: number;
  readonly #layers: LayerGraph[];
  readonly #store: FarStore;
  readonly #layout: FarLayout;
  readonly #format: FarFormat;
  readonly #unindexedKeys: number;
  /** The keys that the layers are being brought to. */
  #bringing: { sealed: number; done: Promise<void> } | null = null;

  constructor({ pool, unindexedKeys = 2048 }: GraphOptions, store: FarStore, plan: { layout: FarLayout; format: FarFormat }) {
    const { heads, kvHeads, headDim, capacityTokens } = plan.layout;
    this.strideTokens = Math.max(leastStride, Math.ceil(capacityTokens / maxQueries));
    this.#store = store;
    this.#layout = plan.layout;
    this.#format = plan.format;
    this.#unindexedKeys = unindexedKeys;
    const shape = { heads, kvHeads, headDim, capacityKeys: capacityTokens, maxQueries: Math.min(maxQueries, Math.ceil(capacityTokens / leastStride) + 1) };
    this.#layers = Array.from({ length: store.layers }, () => new LayerGraph(pool, shape));
  }

  /** Bytes of RAM for keys, graphs and sampled queries. */
  get usedBytes(): number {
    return this.#layers.reduce((sum, layer) => sum + layer.usedBytes, 0);
  }

  /** Keys of a KV head and layer that are in the graphs. */
  get indexedKeys(): number {
    return Math.min(...this.#layers.map(({ indexedKeys }) => indexedKeys));
  }

  /** Keeps queries of the prompt, [rows][heads][headDim]. */
  addQueries(layer: number, rows: Float32Array): void {
    const { heads, headDim } = this.#layout;
    this.report.droppedQueries += rows.length / (heads * headDim) - this.#layers[layer].addQueries(rows);
  }

  /**
   * The tokens that each KV head attends to, ascending: `wanted` for each of its query heads, at most `maxSelected` in
   * all. `queries` is [heads][headDim]; the first `sealed` tokens must be readable from the store.
   */
  async choose(layer: number, queries: Float32Array, { sealed, wanted, maxSelected }: { sealed: number; wanted: number; maxSelected: number }): Promise<Uint32Array[]> {
    await this.#bring(sealed);
    const startMs = performance.now();
    const graph = this.#layers[layer];
    const found = await graph.search(queries, graphEffort(graph.keys, wanted));
    this.report.searchMs += performance.now() - startMs;
    this.report.searches += found.length;
    this.report.allKeys += found.length * graph.keys;
    for (const { scored } of found) this.report.scoredKeys += scored;
    const { heads, kvHeads } = this.#layout;
    const group = heads / kvHeads;
    return Array.from({ length: kvHeads }, (_, kvHead) => unite(found.slice(kvHead * group, (kvHead + 1) * group), maxSelected));
  }

  /** Forgets the tokens from `sealed` on. */
  async truncate(sealed: number): Promise<void> {
    await this.#bringing?.done;
    this.#bringing = null;
    await Promise.all(this.#layers.map((layer) => (sealed === 0 ? layer.clear() : layer.cut(Math.max(0, sealed - sinkTokens)))));
  }

  free(): void {
    for (const layer of this.#layers) layer.free();
  }

  /** Brings all layers to the keys of the first `sealed` tokens; they share one go. */
  #bring(sealed: number): Promise<void> {
    if (this.#bringing?.sealed === sealed) return this.#bringing.done;
    const before = this.#bringing?.done ?? Promise.resolve();
    const done = before.then(() => this.#bringAll(sealed));
    const bringing = { sealed, done };
    this.#bringing = bringing;
    // The next step tries again.
    done.catch(() => (this.#bringing = this.#bringing === bringing ? null : this.#bringing));
    return done;
  }

  async #bringAll(sealed: number): Promise<void> {
    const startMs = performance.now();
    for (const [index, layer] of this.#layers.entries()) await this.#copyKeys(index, layer, sealed);
    const due = this.#layers.filter((layer) => this.#isDue(layer));
    await Promise.all(due.map((layer) => layer.build()));
    this.report.buildMs += performance.now() - startMs;
  }

  #isDue({ keys, indexedKeys, queries }: LayerGraph): boolean {
    const waiting = keys - indexedKeys;
    return waiting > Math.max(this.#unindexedKeys, indexedKeys / 4) && queries >= leastQueryShare * keys;
  }

  async #copyKeys(index: number, layer: LayerGraph, sealed: number): Promise<void> {
    const { kvHeads, headDim, segmentTokens } = this.#layout;
    const { words } = this.#store;
    for (let first = layer.keys + sinkTokens; first < sealed; ) {
      const tokens = Math.min(segmentTokens - (first % segmentTokens), sealed - first);
      const records = new Uint32Array(kvHeads * tokens * words);
      await this.#store.range(index, 0, first, tokens, records, tokens);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        layer.setKeys(kvHead, first - sinkTokens, decodeRecords(this.#format, records.subarray(kvHead * tokens * words, (kvHead + 1) * tokens * words), headDim, words));
      }
      first += tokens;
    }
  }
}

function decodeRecords(format: FarFormat, records: Uint32Array, headDim: number, words: number): Float32Array {
  if (format === 'f16') return halvesToFloats(new Uint16Array(records.buffer, records.byteOffset, 2 * records.length));
  const vectors = new Float32Array((records.length / words) * headDim);
  for (let record = 0; record * words < records.length; record++) vectors.set(decodeRecord(format, records, record * words, headDim), record * headDim);
  return vectors;
}

/**
 * How far a search goes: over one key in twenty, but no further than is enough at any length, and not less than what
 * finds `wanted` of them.
 */
export function graphEffort(keys: number, wanted: number): GraphSearch {
  const enough = Math.max(mostScored, 8 * wanted);
  return { wanted, width: Math.max(64, 2 * wanted), maxScored: Math.max(128, 4 * wanted, Math.min(enough, Math.floor(scoredShare * keys))) };
}

/** The tokens that several heads found, ascending; where they are too many, the best of each in turn. */
function unite(found: readonly FoundKeys[], most: number): Uint32Array {
  const united = new Set<number>();
  const longest = Math.max(...found.map(({ keys }) => keys.length));
  for (let rank = 0; rank < longest; rank++) {
    for (const { keys } of found) if (rank < keys.length && united.size < most) united.add(keys[rank] + sinkTokens);
  }
  return Uint32Array.from(united).sort();
}
