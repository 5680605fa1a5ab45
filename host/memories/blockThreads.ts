/**
 * Threads that compare long runs of blocks with their checksums. A processor takes longer to copy a block from the page
 * cache and to check it than a GPU takes to fetch it: one alone would hold up whoever opens a memory. What was read for
 * that stays there; whoever wants the bytes has them read to where they go, and copies nothing. Short reads, of which a
 * step of decoding makes thousands, go to shared memory.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { encodeReads, type FileReads, type SharedReadsReply, type SharedReadsRequest } from './sharedReads.ts';

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

type Reply = BlockRunReply | SharedReadsReply;
/** Null: the thread has failed. */
type Waiting = (reply: Reply | null) => void;

interface Thread {
  worker: Worker;
  waiting: Map<number, Waiting>;
}

interface PendingRead {
  file: FileReads;
  done: (right: boolean) => void;
}

const mostThreads = 8;

export class BlockThreads {
  readonly #threads: number;
  readonly #pool: Thread[] = [];
  #asked = 0;
  #failed = false;
  /** Asked for since the last turn of the event loop. */
  #reads: PendingRead[] = [];

  /** Threads are started with the first run, and keep no process from ending. */
  constructor(threads = Math.min(mostThreads, availableParallelism())) {
    this.#threads = threads;
  }

  /** Whether the checksums of a run are all right; false where that cannot be said: whoever asks compares by itself. */
  async check(descriptor: number, run: BlockRun): Promise<boolean> {
    if (this.#failed) return false;
    const thread = this.#started().reduce((least, one) => (one.waiting.size < least.waiting.size ? one : least));
    const number = this.#asked++;
    const reply = await ask(thread, { ...run, number, descriptor } satisfies BlockRunRequest);
    return reply !== null && 'right' in reply && reply.right;
  }

  /**
   * Whether all of it was read to its places, and was right where that is checked; else it may be there in part, and
   * whoever asks reads again by itself. When it resolves nothing is written any more. What is asked for in one turn of the
   * event loop goes out in one message a thread.
   */
  readShared(file: FileReads): Promise<boolean> {
    if (this.#failed) return Promise.resolve(false);
    return new Promise((done) => {
      if (this.#reads.length === 0) setImmediate(() => this.#sendReads());
      this.#reads.push({ file, done });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pool.splice(0).map(({ worker }) => worker.terminate()));
  }

  #sendReads(): void {
    const reads = this.#reads.splice(0);
    const threads = this.#failed ? [] : this.#started();
    // Files are not split: a step asks for a few vectors of each of many.
    const share = Math.ceil(reads.reduce((sum, { file }) => sum + file.offsetsBytes.length, 0) / threads.length);
    let sent = 0;
    for (const thread of threads) {
      const begin = sent;
      for (let count = 0; sent < reads.length && count < share; sent++) count += reads[sent].file.offsetsBytes.length;
      if (sent > begin) void this.#send(thread, reads.slice(begin, sent));
    }
    for (const { done } of reads.slice(sent)) done(false);
  }

  async #send(thread: Thread, reads: readonly PendingRead[]): Promise<void> {
    const request = encodeReads(this.#asked++, reads.map(({ file }) => file));
    const reply = await ask(thread, request, [request.numbers.buffer as ArrayBuffer]);
    const right = reply && 'rightFiles' in reply ? reply.rightFiles : [];
    for (const [index, { done }] of reads.entries()) done(right[index] === 1);
  }

  #started(): readonly Thread[] {
    while (this.#pool.length < this.#threads) this.#start();
    return this.#pool;
  }

  #start(): void {
    const worker = new Worker(blockThreadUrl(), { env: {} });
    const waiting = new Map<number, Waiting>();
    worker.on('message', (reply: Reply) => {
      waiting.get(reply.number)?.(reply);
      waiting.delete(reply.number);
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
    // After that: whoever listens is waited for.
    worker.unref();
    this.#pool.push({ worker, waiting });
  }
}

function ask({ worker, waiting }: Thread, request: BlockRunRequest | SharedReadsRequest, transferred: ArrayBuffer[] = []): Promise<Reply | null> {
  return new Promise((resolve) => {
    waiting.set(request.number, resolve);
    worker.ref();
    worker.postMessage(request, transferred);
  });
}

/** Those of this process. */
export const blockThreads = new BlockThreads();

/** Bundled beside the program that starts it; from the sources in a checkout. */
function blockThreadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './blockThreadEntry.ts' : './block-thread.js', import.meta.url);
}
