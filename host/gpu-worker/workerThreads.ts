/** The engine's CPU jobs on threads of this process: each has an instance of every program, over the same memory. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SharedProgram, WorkerPool } from '../../engine/ports.ts';
import { EngineError } from '../../engine/errors.ts';

export type ThreadRequest =
  | { kind: 'open'; program: number; module: WebAssembly.Module; memory: WebAssembly.Memory }
  | { kind: 'close'; program: number }
  | { kind: 'call'; program: number; name: string; calls: readonly (readonly number[])[] };

interface Batch {
  program: number;
  name: string;
  calls: readonly (readonly number[])[];
  results: number[];
  /** Calls handed out, and calls answered. */
  begun: number;
  done: number;
  resolve: (results: number[]) => void;
  reject: (error: unknown) => void;
}

interface Thread {
  worker: Worker;
  /** What it computes now. */
  piece: { batch: Batch; first: number } | null;
}

export class WorkerThreads implements WorkerPool {
  readonly threads: number;
  readonly #entry: URL;
  readonly #pool: Thread[] = [];
  readonly #programs = new Map<number, ThreadRequest>();
  readonly #waiting: Batch[] = [];
  #opened = 0;

  /** Threads are started when first needed; without a number, one for each processor. */
  constructor(threads = availableParallelism(), entry = workerThreadUrl()) {
    this.threads = threads;
    this.#entry = entry;
  }

  open(module: WebAssembly.Module, memory: WebAssembly.Memory): SharedProgram {
    const program = this.#opened++;
    const opening: ThreadRequest = { kind: 'open', program, module, memory };
    this.#programs.set(program, opening);
    for (const { worker } of this.#pool) worker.postMessage(opening);
    return {
      call: (name, calls) => this.#call(program, name, calls),
      close: () => {
        this.#programs.delete(program);
        for (const { worker } of this.#pool) worker.postMessage({ kind: 'close', program });
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#pool.splice(0).map(({ worker }) => worker.terminate()));
    this.#fail(new EngineError('cancelled', 'The threads were ended.', 'Ask again.'));
  }

  #call(program: number, name: string, calls: readonly (readonly number[])[]): Promise<number[]> {
    if (calls.length === 0) return Promise.resolve([]);
    while (this.#pool.length < this.threads) this.#start(this.#pool.length);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ program, name, calls, results: [], begun: 0, done: 0, resolve, reject });
      for (const thread of this.#pool) this.#feed(thread);
    });
  }

  /** Gives an idle thread a share of what is left: large at first, so that few messages travel, then small. */
  #feed(thread: Thread): void {
    const [batch] = this.#waiting;
    if (thread.piece || !batch) return;
    const { program, name, calls, begun } = batch;
    const left = calls.length - begun;
    const count = left <= 2 * this.threads ? Math.ceil(left / this.threads) : Math.floor(left / (2 * this.threads));
    thread.piece = { batch, first: begun };
    batch.begun += count;
    if (batch.begun === calls.length) this.#waiting.shift();
    // A process may end while threads wait, but not while they compute.
    thread.worker.ref();
    thread.worker.postMessage({ kind: 'call', program, name, calls: calls.slice(begun, begun + count) } satisfies ThreadRequest);
  }

  #start(index: number): void {
    const worker = new Worker(this.#entry, { workerData: { thread: index }, env: {} });
    const thread: Thread = { worker, piece: null };
    worker.on('message', (reply: { results: number[] } | { error: string }) => this.#take(thread, reply));
    worker.on('error', (error) => this.#fail(error));
    // After that: whoever listens is waited for.
    worker.unref();
    for (const opening of this.#programs.values()) worker.postMessage(opening);
    this.#pool.push(thread);
  }

  #take(thread: Thread, reply: { results: number[] } | { error: string }): void {
    const { piece } = thread;
    if ('error' in reply) return this.#fail(new EngineError('internal', `A processor job failed: ${reply.error}.`, 'Ask again; if it happens again, choose another policy.'));
    if (!piece) return undefined;
    const { batch, first } = piece;
    thread.piece = null;
    thread.worker.unref();
    reply.results.forEach((result, i) => (batch.results[first + i] = result));
    batch.done += reply.results.length;
    if (batch.done === batch.calls.length) batch.resolve(batch.results);
    return this.#feed(thread);
  }

  /** A thread that fails takes what is under way with it; the next call starts a new pool. */
  #fail(error: unknown): void {
    const batches = new Set([...this.#waiting.splice(0), ...this.#pool.flatMap(({ piece }) => (piece ? [piece.batch] : []))]);
    for (const { worker } of this.#pool.splice(0)) void worker.terminate();
    for (const { reject } of batches) reject(error);
  }
}

/** Bundled beside the worker; from the sources in a checkout. */
function workerThreadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './workerThreadEntry.ts' : './worker-thread.js', import.meta.url);
}
