/**
 * Threads that compare long runs of blocks with their checksums. A processor takes longer to copy a block from the page
 * cache and to check it than a GPU takes to fetch it: one alone would hold up whoever opens a memory. What was read for
 * that stays there; whoever wants the bytes has them read to where they go, and copies nothing.
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

/** Not `right` when they could not all be read, or a checksum does not match. */
export interface BlockRunReply {
  number: number;
  right: boolean;
}

type Waiting = (right: boolean) => void;

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

  /** Whether the checksums of a run are all right; false where that cannot be said: whoever asks compares by itself. */
  async check(descriptor: number, run: BlockRun): Promise<boolean> {
    if (this.#failed) return false;
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
    worker.on('message', ({ number, right }: BlockRunReply) => {
      waiting.get(number)?.(right);
      waiting.delete(number);
      if (waiting.size === 0) worker.unref();
    });
    const fail = (): void => {
      // Without threads everything still works, on one.
      this.#failed = true;
      for (const resolve of waiting.values()) resolve(false);
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
