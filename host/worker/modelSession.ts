/**
 * The worker holds one model at a time. Work on the model that is loaded runs side by side; work on
 * another waits until that is done, in the order it came.
 */
import { coversBudget, defaultKvSetting, type KvSetting } from '../contract/policy.ts';
import { cancelled } from '../errors.ts';
import { type ModelDescription, modelDescription } from '../gpu-worker/protocol.ts';
import type { WorkerSupervisor } from './supervisor.ts';

export interface ModelTarget {
  id: string;
  path: string;
  /** Null: as many as the model was trained for and memory allows. */
  contextTokens: number | null;
  /** Where keys and values may lie; by default as the machine allows. */
  kv?: KvSetting;
  /** Of every access in shaders (`host/models/boundsChecks.ts`). */
  boundsChecks: boolean;
}

type LoadProgress = (done: number, total: number) => void;

export interface UseOptions {
  signal?: AbortSignal;
  onLoading?: LoadProgress;
  /** Called when somebody begins to wait until this use of the model ends, to load another. */
  onWanted?(): void;
}

interface Turn {
  key: string;
  take(): void;
}

interface Loaded {
  key: string;
  kv: KvSetting;
  /** The worker's life it was loaded in; undefined while loading. */
  life: number | undefined;
  description: Promise<ModelDescription>;
}

export class ModelSession {
  readonly #supervisor: WorkerSupervisor;
  readonly #queue: Turn[] = [];
  readonly #loadListeners = new Set<LoadProgress>();
  readonly #wantedListeners = new Set<() => void>();
  #activeKey: string | undefined;
  #activeCount = 0;
  #loaded: Loaded | undefined;

  constructor(supervisor: WorkerSupervisor) {
    this.#supervisor = supervisor;
  }

  /** Runs `work` with the model loaded. */
  async use<T>(target: ModelTarget, options: UseOptions, work: (model: ModelDescription) => Promise<T>): Promise<T> {
    const key = this.#keyFor(target);
    await this.#turn(key, options.signal);
    const { onWanted } = options;
    if (onWanted) this.#wantedListeners.add(onWanted);
    try {
      return await work(await this.#ensureLoaded(key, target, options));
    } finally {
      if (onWanted) this.#wantedListeners.delete(onWanted);
      this.#activeCount -= 1;
      this.#admit();
    }
  }

  /** A model that is loaded with page bounds, graphs, a sketch for certain or room for a large budget serves those who need less, too. */
  #keyFor(target: ModelTarget): string {
    const own = keyOf(target);
    if (!this.#loaded || this.#loaded.key === own) return own;
    const { pages, graphs, mayLackSketch, largestBudget } = this.#loaded.kv;
    const kv = target.kv ?? defaultKvSetting;
    const budget = coversBudget(largestBudget, kv.largestBudget) ? largestBudget : kv.largestBudget;
    const wider = keyOf({ ...target, kv: { ...kv, pages: kv.pages || pages, graphs: kv.graphs || graphs, mayLackSketch: kv.mayLackSketch && mayLackSketch, largestBudget: budget } });
    return this.#loaded.key === wider ? wider : own;
  }

  #turn(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled());
      const leave = () => {
        const place = this.#queue.indexOf(turn);
        if (place < 0) return;
        this.#queue.splice(place, 1);
        reject(cancelled());
        this.#admit();
      };
      const turn: Turn = {
        key,
        take: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#queue.push(turn);
      this.#admit();
      if (this.#queue.includes(turn)) for (const listener of this.#wantedListeners) listener();
    });
  }

  /** Lets in from the front of the queue: everyone for the active model, or the first for another. */
  #admit(): void {
    for (let head = this.#queue[0]; head && (this.#activeCount === 0 || head.key === this.#activeKey); head = this.#queue[0]) {
      this.#queue.shift();
      this.#activeKey = head.key;
      this.#activeCount += 1;
      head.take();
    }
  }

  async #ensureLoaded(key: string, target: ModelTarget, { signal, onLoading }: UseOptions): Promise<ModelDescription> {
    if (onLoading) this.#loadListeners.add(onLoading);
    try {
      return await unlessAborted(this.#current(key) ?? this.#startLoading(key, target), signal);
    } finally {
      if (onLoading) this.#loadListeners.delete(onLoading);
    }
  }

  #current(key: string): Promise<ModelDescription> | undefined {
    if (this.#loaded?.key !== key) return undefined;
    const { life, description } = this.#loaded;
    return life === undefined || life === this.#supervisor.life ? description : undefined;
  }

  #startLoading(key: string, target: ModelTarget): Promise<ModelDescription> {
    const loaded: Loaded = { key, kv: target.kv ?? defaultKvSetting, life: undefined, description: this.#load(target, () => loaded) };
    this.#loaded = loaded;
    return loaded.description;
  }

  /** A load that everyone gave up on runs on; the worker does one thing after another. */
  async #load(target: ModelTarget, self: () => Loaded): Promise<ModelDescription> {
    const onProgress = (done: number, total: number) => {
      this.#supervisor.noteLoading(target.id, done, total);
      for (const listener of this.#loadListeners) listener(done, total);
    };
    try {
      const description = await this.#supervisor.run(
        { kind: 'load', path: target.path, contextTokens: target.contextTokens, kv: target.kv ?? defaultKvSetting, boundsChecks: target.boundsChecks },
        modelDescription,
        { onProgress: ({ done, total }) => onProgress(done, total) },
      );
      self().life = this.#supervisor.life;
      this.#supervisor.noteLoadedModel(target.id);
      return description;
    } catch (error) {
      if (this.#loaded === self()) this.#loaded = undefined;
      this.#supervisor.noteLoadedModel(null);
      throw error;
    }
  }
}

function keyOf({ contextTokens, kv = defaultKvSetting, path, boundsChecks }: ModelTarget): string {
  return JSON.stringify([boundsChecks, contextTokens, kv.gpuBytes, kv.ramBytes, kv.format, kv.offload, kv.pages, kv.graphs, kv.mayLackSketch, kv.largestBudget, kv.sparseReading, path]);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) throw cancelled();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Nobody may be waiting for it any more; its failure is then nobody's.
    work.catch(() => undefined);
  }
}
