/**
 * The graphs of one layer, one for each query head, over its KV heads' keys: in shared memory, made and searched by
 * threads (`wasm/graph.ts`). Keys that are not in the graphs yet are all scored, so new ones never wait.
 */
import graphProgram from '../../../wasm/graph.wasm';
import { EngineError } from '../../errors.ts';
import type { SharedProgram, WorkerPool } from '../../ports.ts';

export interface GraphShape {
  /** Query heads, a multiple of kvHeads. */
  heads: number;
  kvHeads: number;
  /** A multiple of 4. */
  headDim: number;
  /** Most keys of a KV head. */
  capacityKeys: number;
  /** Most sampled queries of a head that graphs are made from. */
  maxQueries: number;
}

export interface GraphSearch {
  /** Keys to find for each query head. */
  wanted: number;
  /** The best keys that the search goes on from; at least `wanted` are kept. */
  width: number;
  /** Keys to score at most before the search ends; those that are not in the graph come on top. */
  maxScored: number;
}

/** What one query head's search has found. */
export interface FoundKeys {
  /** Best first. */
  keys: Uint32Array;
  scores: Float32Array;
  /** Keys whose score was computed. */
  scored: number;
}

export interface HeadGraph {
  entries: number[];
  neighbours: { links: number[]; bridges: number[] }[];
}

/**
 * Most links and bridges of a key, entries of a graph, and keys listed for a sampled query: twice RoarGraph's, because
 * what is wanted of a real prompt is found in up to 3 % more (docs/retrieval.md).
 */
export const graphDegrees = { links: 32, bridges: 16, entries: 32, listLength: 200 };
/** Words of the records of `wasm/graph/layout.ts`. */
const graphWords = 7;
const scratchWords = 10;
/** Sampled queries whose nearest keys one call lists. */
const queriesPerCall = 32;
/** A search that may score more than this share of the graph's keys scores all keys instead: that is faster. */
const scanShare = 1 / 3;

let compiled: WebAssembly.Module | undefined;

export class LayerGraph {
  readonly shape: GraphShape;
  readonly #program: SharedProgram;
  readonly #memory: WebAssembly.Memory;
  readonly #places: Places;
  /** Keys of each KV head that were set. */
  #keys = 0;
  /** Keys that are in the graphs. */
  #indexed = 0;
  /** Sampled queries whose nearest keys are listed, and those that wait behind them. */
  #listed = 0;
  #pending = 0;

  /** Throws `context-exceeded` when the keys and graphs of a layer would not fit the memory of a WebAssembly program. */
  constructor(pool: WorkerPool, shape: GraphShape) {
    this.shape = shape;
    this.#places = placesOf(shape, pool.threads);
    const pages = Math.ceil(this.#places.endBytes / 65_536);
    if (pages > 65_536) {
      throw new EngineError('context-exceeded', `The policy “graph” cannot index ${shape.capacityKeys} tokens of this model: a layer would need ${this.#places.endBytes} bytes, and 4 GiB are possible.`, 'Choose a shorter context or another policy.');
    }
    // Pages that are never touched take no memory.
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    compiled ??= new WebAssembly.Module(graphProgram);
    this.#program = pool.open(compiled, this.#memory);
    this.#writeRecords(pool.threads);
  }

  get keys(): number {
    return this.#keys;
  }

  get indexedKeys(): number {
    return this.#indexed;
  }

  /** Sampled queries that a build would use. */
  get queries(): number {
    return this.#listed + this.#pending;
  }

  /** Bytes of keys and graphs that are in use. */
  get usedBytes(): number {
    const { heads, kvHeads, headDim } = this.shape;
    const { links, bridges, listLength } = graphDegrees;
    return 4 * (this.#keys * kvHeads * headDim + this.#indexed * heads * (2 + links + bridges) + this.#listed * heads * listLength + this.#pending * heads * headDim);
  }

  /** Sets keys [first, first + vectors.length / headDim) of a KV head; `keys` grows when all heads have them. */
  setKeys(kvHead: number, first: number, vectors: Float32Array): void {
    const { capacityKeys, headDim, kvHeads } = this.shape;
    this.#floats(this.#places.keys + 4 * headDim * (kvHead * capacityKeys + first), vectors.length).set(vectors);
    if (kvHead === kvHeads - 1) this.#keys = Math.max(this.#keys, first + vectors.length / headDim);
  }

  /** Takes sampled queries, [rows][heads][headDim]; returns how many rows there was room for. */
  addQueries(rows: Float32Array): number {
    const { heads, headDim, maxQueries } = this.shape;
    const count = Math.min(rows.length / (heads * headDim), maxQueries - this.queries);
    for (let row = 0; row < count; row++) {
      for (let head = 0; head < heads; head++) {
        const query = rows.subarray((row * heads + head) * headDim, (row * heads + head + 1) * headDim);
        this.#floats(this.#queryPlace(head, this.#pending + row), headDim).set(query);
      }
    }
    this.#pending += count;
    return count;
  }

  /** Puts all keys into the graphs. Nothing else may be called until it resolves. */
  async build(): Promise<void> {
    const { heads, maxQueries } = this.shape;
    const { scratches, graphs, lists } = this.#places;
    const { listLength, entries } = graphDegrees;
    const keys = this.#keys;
    const listPlace = (head: number, query: number): number => lists + 4 * listLength * (head * maxQueries + query);
    const calls: number[][] = [];
    for (let head = 0; head < heads; head++) {
      for (let first = 0; first < this.#pending; first += queriesPerCall) {
        const count = Math.min(queriesPerCall, this.#pending - first);
        calls.push([scratches, graphs + 4 * graphWords * head, this.#queryPlace(head, first), count, keys, listLength, listPlace(head, this.#listed + first)]);
      }
    }
    await this.#program.call('nearest', calls);
    this.#listed += this.#pending;
    this.#pending = 0;
    await this.#forEachHead((head) => ['build', [listPlace(head, 0), this.#listed, listLength, this.#indexed, keys, entries]]);
    this.#indexed = keys;
  }

  /** The keys of largest inner product with each head's query, [heads][headDim]. */
  async search(queries: Float32Array, { wanted, width, maxScored }: GraphSearch): Promise<FoundKeys[]> {
    const { heads, headDim } = this.shape;
    const { scratches, graphs, query, results } = this.#places;
    this.#floats(query, heads * headDim).set(queries);
    const kept = Math.min(wanted, this.#keys);
    if (kept === 0) return Array.from({ length: heads }, () => ({ keys: new Uint32Array(), scores: new Float32Array(), scored: 0 }));
    // Each call has keys from `inGraph` on scored one by one.
    const inGraph = maxScored >= this.#indexed * scanShare ? 0 : this.#indexed;
    const resultBytes = 4 * (1 + 2 * kept);
    const calls = Array.from({ length: heads }, (_, head) => [
      scratches,
      graphs + 4 * graphWords * head,
      query + 4 * headDim * head,
      kept,
      inGraph === 0 ? kept : Math.max(kept, width),
      maxScored,
      inGraph,
      this.#keys,
      results + resultBytes * head,
    ]);
    const scored = await this.#program.call('find', calls);
    return scored.map((count, head) => {
      const place = results + resultBytes * head;
      const found = this.#words(place, 1)[0];
      return { keys: this.#words(place + 4, found).slice(), scores: this.#floats(place + 4 + 4 * kept, found).slice(), scored: count };
    });
  }

  /** A head's graph as it lies in memory: for tests and the inspector. */
  graphOf(head: number): HeadGraph {
    const { links, bridges } = graphDegrees;
    const record = this.#words(this.#places.graphs + 4 * graphWords * head, graphWords);
    const neighbours = this.#words(record[1], this.#indexed * (2 + links + bridges));
    const lists = Array.from({ length: this.#indexed }, (_, key) => {
      const base = key * (2 + links + bridges);
      return {
        links: [...neighbours.subarray(base + 2, base + 2 + neighbours[base])],
        bridges: [...neighbours.subarray(base + 2 + links, base + 2 + links + neighbours[base + 1])],
      };
    });
    return { entries: [...this.#words(record[2], record[3])], neighbours: lists };
  }

  /** Forgets the keys from `keys` on. */
  async cut(keys: number): Promise<void> {
    const { maxQueries } = this.shape;
    const { listLength } = graphDegrees;
    if (this.#indexed > keys) {
      await this.#forEachHead((head) => ['cut', [this.#places.lists + 4 * listLength * head * maxQueries, this.#listed, listLength, keys]]);
      this.#indexed = keys;
    }
    this.#keys = Math.min(this.#keys, keys);
  }

  /** Forgets the sampled queries too. */
  async clear(): Promise<void> {
    await this.cut(0);
    this.#listed = 0;
    this.#pending = 0;
  }

  free(): void {
    this.#program.close();
  }

  async #forEachHead(call: (head: number) => [name: string, numbers: number[]]): Promise<void> {
    const { scratches, graphs } = this.#places;
    const calls = Array.from({ length: this.shape.heads }, (_, head) => call(head));
    await this.#program.call(
      calls[0][0],
      calls.map(([, numbers], head) => [scratches, graphs + 4 * graphWords * head, ...numbers]),
    );
  }

  #queryPlace(head: number, index: number): number {
    const { headDim, maxQueries } = this.shape;
    return this.#places.queries + 4 * headDim * (head * maxQueries + index);
  }

  #writeRecords(threads: number): void {
    const { heads, kvHeads, headDim, capacityKeys } = this.shape;
    const { keys, neighbours, entries, graphs, scratches, perThread } = this.#places;
    const { links, bridges } = graphDegrees;
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      this.#words(graphs + 4 * graphWords * head, graphWords).set([
        keys + 4 * headDim * capacityKeys * kvHead,
        neighbours + 4 * (2 + links + bridges) * capacityKeys * head,
        entries + 4 * graphDegrees.entries * head,
        0,
        headDim,
        links,
        bridges,
      ]);
    }
    for (let thread = 0; thread < threads; thread++) {
      const { seen, shared, scores, best, listStarts, listsOf, covered } = perThread[thread];
      this.#words(scratches + 4 * scratchWords * thread, scratchWords).set([seen, shared, scores, best, 0, 0, 0, listStarts, listsOf, covered]);
    }
  }

  #words(place: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, place, count);
  }

  #floats(place: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, place, count);
  }
}

type Places = ReturnType<typeof placesOf>;

/** Where everything lies, in bytes; nothing lies at 0. */
function placesOf({ heads, kvHeads, headDim, capacityKeys, maxQueries }: GraphShape, threads: number) {
  const { links, bridges, entries, listLength } = graphDegrees;
  let endBytes = 65_536;
  const words = (count: number): number => {
    const place = endBytes;
    endBytes += Math.ceil(count / 4) * 16;
    return place;
  };
  // The best of a search, with room for those of all queries of a call, and for an order while bridges are chosen.
  const bestWords = Math.max(capacityKeys, queriesPerCall * listLength);
  return {
    graphs: words(graphWords * heads),
    scratches: words(scratchWords * threads),
    keys: words(kvHeads * capacityKeys * headDim),
    neighbours: words(heads * capacityKeys * (2 + links + bridges)),
    entries: words(heads * entries),
    query: words(heads * headDim),
    results: words(heads * (1 + 2 * capacityKeys)),
    queries: words(heads * maxQueries * headDim),
    lists: words(heads * maxQueries * listLength),
    perThread: Array.from({ length: threads }, () => ({
      seen: words(capacityKeys),
      shared: words(capacityKeys),
      scores: words(bestWords),
      best: words(bestWords),
      listStarts: words(capacityKeys + 1),
      listsOf: words(maxQueries * listLength),
      covered: words(maxQueries),
    })),
    get endBytes() {
      return endBytes;
    },
  };
}
