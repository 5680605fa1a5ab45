/**
 * Threads that read long runs of blocks and compare them with their checksums. A processor takes longer to copy a block
 * from the page cache and to check it than a GPU takes to fetch it: one alone would hold up whoever opens a memory.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Whole blocks of an open file, one after another. */
export interface BlockRun {
  firstBlock: number;
  /** Their checksums, little-endian u32 each. */
  checksums: Uint8Array;
  /** Key of the segment, which every checksum covers. */
  key: string;
}

export interface BlockRunRequest extends BlockRun {
  number: number;
  descriptor: number;
}

/** `bytes` is null when they could not all be read, or a checksum does not match. */
export interface BlockRunReply {
  number: number;
  bytes: Uint8Array<ArrayBuffer> | null;
}

type Waiting = (bytes: BlockRunReply['bytes']) => void;

const mostThreads = 8;

export class BlockThreads {
  readonly #threads: number;
  readonly #pool: { worker: Worker; waiting: Map<number, Waiting> }[] = [];
  #asked = 0;
  #failed = false;

  /** Threads are started with the first run, and keep no process from ending. */
  constructor(threads = Math.min(mostThreads, availableParallelism())) {
    this.#threads = threads;
  }

  /** The bytes of a run whose checksums are all right; null where that cannot be said: whoever asks reads by itself. */
  async read(descriptor: number, run: BlockRun): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#failed) return null;
    while (this.#pool.length < this.#threads) this.#start();
    const number = this.#asked++;
    const { worker, waiting } = this.#pool.reduce((least, thread) => (thread.waiting.size < least.waiting.size ? thread : least));
    return new Promise((resolve) => {
      waiting.set(number, resolve);
      worker.ref();
      worker.postMessage({ ...run, number, descriptor } satisfies BlockRunRequest);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pool.splice(0).map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const worker = new Worker(blockThreadUrl(), { env: {} });
    const waiting = new Map<number, Waiting>();
    worker.unref();
    worker.on('message', ({ number, bytes }: BlockRunReply) => {
      waiting.get(number)?.(bytes);
      waiting.delete(number);
      if (waiting.size === 0) worker.unref();
    });
    const fail = (): void => {
      // Without threads everything still works, on one.
      this.#failed = true;
      for (const resolve of waiting.values()) resolve(null);
      waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', fail);
    this.#pool.push({ worker, waiting });
  }
}

/** Bundled beside the program that starts it; from the sources in a checkout. */
function blockThreadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './blockThreadEntry.ts' : './block-thread.js', import.meta.url);
}
