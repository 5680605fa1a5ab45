/**
 * The CPU's side of a load of arrivals: where they go on the GPU, and the runs that bring their vectors together. With
 * threads the vectors first come together in memory that those share: mapped memory of the GPU cannot be shared.
 */
import type { LongCopies, SharedCopies } from '../../ports.ts';
import { bringRuns } from './bringRuns.ts';
import { asIntegers, copyRuns, type Runs } from './copyRuns.ts';
import type { AbsentVectors, FarStore } from './farStore.ts';
import type { AskedByLayer } from './requestReader.ts';

export interface GatheringShape {
  /** Vectors, keys and values counted once. */
  maxArrivals: number;
  /** Words of a stored vector. */
  words: number;
  slots: number;
}

const mostLayers = 255;
/** Which of the ranges in `places` is that of a layer's lone arrivals; the others are those of the layers. */
export const loneRange = mostLayers;
/** Where the arrivals' places begin, behind the ranges. */
export const firstPlace = mostLayers + 1;

/** What a layer's heads asked for, and how much of it is in loads already. */
export interface Waiting extends AskedByLayer {
  kvHead: number;
  done: number;
}

/** Of every head that asked for something, in the order of the layers. */
export function waitingOf(layers: readonly AskedByLayer[]): Waiting[] {
  return layers.flatMap(({ layer, requests }) =>
    Array.from({ length: requests.kvHeads }, (_, kvHead) => ({ layer, requests, kvHead, done: 0 })).filter(({ kvHead }) => requests.requested(kvHead) > 0),
  );
}

export interface LayerArrivals {
  layer: number;
  arrivals: number;
}

/** Of one load after another. */
export class Gathering {
  arrivals = 0;
  /** Layers with arrivals in it, and how many each. */
  layers: LayerArrivals[] = [];
  readonly #shape: GatheringShape;
  /** [range] of (first arrival, arrivals), then [arrival] of (kvHead · slots + slot, token). */
  readonly #places: Uint32Array;
  readonly #tokens: Uint32Array;
  readonly #runs: Runs;
  /** Blocks of `copies`: the runs, and [arrival][2][words]. */
  readonly #shared: { copies: SharedCopies; runs: number; vectors: number; words: Uint32Array } | null = null;
  #absent: AbsentVectors[] = [];
  /** Resolve when the threads have copied, and when the disk has answered. */
  #copying: () => Promise<void> = () => Promise.resolve();
  #fetching: Promise<void> = Promise.resolve();

  constructor(shape: GatheringShape, copies: SharedCopies | null) {
    const { maxArrivals, words } = shape;
    this.#shape = shape;
    this.#places = new Uint32Array(2 * (firstPlace + maxArrivals));
    this.#tokens = new Uint32Array(maxArrivals);
    const runBytes = 4 * 3 * 2 * maxArrivals;
    if (!copies) {
      this.#runs = { words: new Int32Array(runBytes / 4), count: 0 };
      return;
    }
    const runs = copies.allocate(runBytes);
    const vectors = copies.allocate(8 * words * maxArrivals);
    this.#runs = { words: new Int32Array(runs.buffer), count: 0 };
    this.#shared = { copies, runs: runs.number, vectors: vectors.number, words: new Uint32Array(vectors.buffer) };
  }

  /** Words of a whole load: places, then [arrival][2][words] vectors. */
  static words({ maxArrivals, words }: GatheringShape): number {
    return 2 * (firstPlace + maxArrivals) + 2 * words * maxArrivals;
  }

  /** Whether threads would bring the first load of what is waiting sooner than this one. */
  static isForThreads(waiting: readonly Waiting[], store: FarStore): boolean {
    if (!store.copies) return false;
    let runs = 0;
    for (const { requests, kvHead, done } of waiting) {
      runs += 2 * (requests.requested(kvHead) - done);
      if (runs >= store.copies.fewestRuns) return true;
    }
    return false;
  }

  /** Takes the first of what is waiting as far as there is room, and lets threads bring it. `finish` must follow. */
  begin(store: FarStore, waiting: Waiting[], rangeOf: (layer: number) => number): void {
    if (!this.#shared) throw new RangeError('no threads');
    const { copies, runs, vectors, words } = this.#shared;
    this.#take(store, waiting, rangeOf);
    this.#copying = copies.begin({ runs, count: this.#runs.count, runWords: this.#shape.words, target: vectors });
    this.#fetching = store.fetch(this.#absent, words);
    // Whoever finishes hears of a failure.
    this.#fetching.catch(() => undefined);
  }

  /** Writes what was begun to a load; with `longCopies` this thread may do something else meanwhile, and it takes longer. */
  async finish(load: Uint32Array, longCopies: LongCopies | null = null): Promise<void> {
    const { words, maxArrivals } = this.#shape;
    await this.settled();
    await this.#fetching;
    this.#writePlaces(load);
    if (this.#shared) await bringRuns([{ words: this.#shared.words.subarray(0, 2 * words * this.arrivals), place: 2 * (firstPlace + maxArrivals) }], load, longCopies);
  }

  /** The same as both on this thread, straight into the load. */
  async gather(store: FarStore, waiting: Waiting[], rangeOf: (layer: number) => number, load: Uint32Array): Promise<void> {
    const { words, maxArrivals } = this.#shape;
    const firstVector = 2 * (firstPlace + maxArrivals);
    this.#take(store, waiting, rangeOf);
    copyRuns(store.sources, this.#runs.words, 0, this.#runs.count, words, asIntegers(load, firstVector));
    this.#writePlaces(load);
    await store.fetch(this.#absent, load, firstVector);
  }

  /** Waits until nothing writes to this any more, whether or not it succeeded. */
  async settled(): Promise<void> {
    await this.#copying();
    await this.#fetching.catch(() => undefined);
  }

  free(): void {
    if (!this.#shared) return;
    for (const block of [this.#shared.runs, this.#shared.vectors]) this.#shared.copies.release(block);
  }

  #take(store: FarStore, waiting: Waiting[], rangeOf: (layer: number) => number): void {
    const { slots, words, maxArrivals } = this.#shape;
    const places = this.#places;
    this.arrivals = 0;
    this.layers = [];
    this.#runs.count = 0;
    this.#absent = [];
    let first = 0;
    while (waiting.length > 0 && this.arrivals < maxArrivals) {
      const [one] = waiting;
      const { layer, requests, kvHead, done } = one;
      const some = Math.min(requests.requested(kvHead) - done, maxArrivals - this.arrivals);
      requests.copyTo(kvHead, { first: done, count: some, tokens: this.#tokens, places, place: 2 * (firstPlace + this.arrivals), firstSlot: kvHead * slots });
      this.#absent.push(...store.plan(layer, kvHead, this.#tokens.subarray(0, some), 2 * words * this.arrivals, this.#runs));
      if (this.layers.at(-1)?.layer !== layer) {
        this.layers.push({ layer, arrivals: 0 });
        first = this.arrivals;
      }
      this.arrivals += some;
      this.layers[this.layers.length - 1].arrivals += some;
      places[2 * rangeOf(layer)] = first;
      places[2 * rangeOf(layer) + 1] = this.arrivals - first;
      if (done + some === requests.requested(kvHead)) waiting.shift();
      else one.done += some;
    }
  }

  #writePlaces(load: Uint32Array): void {
    load.set(this.#places.subarray(0, 2 * (firstPlace + this.arrivals)));
  }
}
