/**
 * Keeps a GPU worker alive: starts it when it is needed, starts it again with growing pauses when it
 * dies, gives up after several deaths in a row until somebody asks again.
 */
import type * as z from 'zod';
import type { Failure, WorkerStatus } from '../contract/entities.ts';
import { HostError, RelayedError } from '../errors.ts';
import { type JobHooks, type JobRequest, type WorkerEnd, WorkerProcess } from './workerProcess.ts';

export interface SupervisorOptions {
  entry: string;
  /** The GPU adapter is chosen by the launcher through these. */
  environment?: NodeJS.ProcessEnv;
  pingEveryMs?: number;
  hangAfterMs?: number;
  startWithinMs?: number;
  firstPauseMs?: number;
  quitDeadlineMs?: number;
}

const longestPauseMs = 10_000;
/** Its start takes a core for half a second: a window that opens beside it goes first. */
const soonMs = 1000;
const deathsBeforeGivingUp = 5;
/** A worker that lived this long was sound: the next death counts as the first. */
const soundLifeMs = 30_000;

/** A worker that is not there holds nothing. */
const nothingLoaded = { memory: null, loadedModelId: null, loading: null };

type StatusListener = (status: WorkerStatus) => void;

interface Waiter {
  resolve(process: WorkerProcess): void;
  reject(error: Error): void;
}

export class WorkerSupervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #listeners = new Set<StatusListener>();
  readonly #waiters = new Set<Waiter>();
  #process: WorkerProcess | undefined;
  #ready = false;
  #startedAtMs = 0;
  #deathsInARow = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #soonTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #lives = 0;
  #status: WorkerStatus = { state: 'stopped', adapter: null, memory: null, loadedModelId: null, loading: null, failure: null };

  constructor(options: SupervisorOptions) {
    this.#options = {
      environment: process.env,
      pingEveryMs: 2000,
      hangAfterMs: 60_000,
      startWithinMs: 180_000,
      firstPauseMs: 250,
      quitDeadlineMs: 4000,
      ...options,
    };
  }

  get status(): WorkerStatus {
    return this.#status;
  }

  /** Changes whenever whatever was loaded is gone: with a new process and with a lost device. */
  get life(): number {
    return this.#lives;
  }

  onStatus(listener: StatusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteLoading(modelId: string, doneBytes: number, totalBytes: number): void {
    this.#update({ loading: { modelId, doneBytes: Math.round(doneBytes), totalBytes: Math.round(totalBytes) } });
  }

  /** Null: loading failed, and nothing is loaded. */
  noteLoadedModel(loadedModelId: string | null): void {
    // With a model on it the GPU works again, whatever it failed at before.
    this.#update({ loadedModelId, loading: null, ...(loadedModelId !== null && { failure: null }) });
  }

  /** Starts the worker if it is not running; does not wait. */
  start(): void {
    if (this.#closed || this.#process || this.#restartTimer) return;
    this.#launch('starting');
  }

  /** As `start`, when the window has had time to open, or when somebody needs it. */
  startSoon(): void {
    if (this.#closed || this.#process) return;
    this.#update({ state: 'starting' });
    this.#soonTimer = setTimeout(() => this.start(), soonMs).unref();
  }

  /** Runs a job on the worker, waiting for it to be ready first. */
  async run<T>(request: JobRequest, result: z.ZodType<T>, hooks: JobHooks = {}): Promise<T> {
    const worker = await this.#whenReady();
    return result.parse(await worker.run(request, hooks));
  }

  /** A fresh process, whatever state the old one is in. */
  restart(): void {
    this.#deathsInARow = 0;
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    if (this.#process) this.#process.kill();
    else this.start();
  }

  /** `deadlineMs`: how long the worker may take for what it has begun. */
  async close(deadlineMs = this.#options.quitDeadlineMs): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restartTimer);
    await this.#process?.quit(deadlineMs);
    this.#failWaiters(new HostError('cancelled', 'Longleaf is closing.', 'Open it again.'));
    this.#update({ state: 'stopped', ...nothingLoaded });
  }

  /** The worker's process id, for tests that kill it. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  #whenReady(): Promise<WorkerProcess> {
    if (this.#closed) return Promise.reject(new HostError('cancelled', 'Longleaf is closing.', 'Open it again.'));
    if (this.#process && this.#ready) return Promise.resolve(this.#process);
    // Somebody asks again after it was given up: that is a fresh start.
    if (this.#status.state === 'failed') this.#deathsInARow = 0;
    this.start();
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }

  #launch(state: 'starting' | 'restarting'): void {
    clearTimeout(this.#soonTimer);
    this.#restartTimer = undefined;
    this.#ready = false;
    this.#startedAtMs = performance.now();
    this.#lives += 1;
    this.#update({ state, ...nothingLoaded });
    this.#process = new WorkerProcess(this.#options, {
      onReady: (adapter) => {
        this.#ready = true;
        this.#update({ state: 'ready', adapter, failure: null });
        const worker = this.#process;
        if (worker) for (const waiter of this.#waiters) waiter.resolve(worker);
        this.#waiters.clear();
      },
      onMemory: (memory) => this.#update({ memory }),
      onDeviceLost: (failure) => {
        this.#lives += 1;
        this.#update({ loadedModelId: null, loading: null, failure });
      },
      onExit: (end) => this.#ended(end),
    });
  }

  #ended(end: WorkerEnd): void {
    const wasReady = this.#ready;
    this.#process = undefined;
    this.#ready = false;
    this.#lives += 1;
    if (this.#closed) return;
    if (wasReady && performance.now() - this.#startedAtMs > soundLifeMs) this.#deathsInARow = 0;
    this.#deathsInARow += 1;
    const failure = describeEnd(end, wasReady);
    // A worker that says why it cannot start would only say it again.
    if (end.startFailure || this.#deathsInARow >= deathsBeforeGivingUp) {
      this.#update({ state: 'failed', ...nothingLoaded, failure });
      this.#failWaiters(new RelayedError(failure));
      return;
    }
    this.#update({ state: 'restarting', ...nothingLoaded, failure });
    const pauseMs = Math.min(this.#options.firstPauseMs * 2 ** (this.#deathsInARow - 1), longestPauseMs);
    this.#restartTimer = setTimeout(() => this.#launch('restarting'), pauseMs);
  }

  #failWaiters(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  #update(changes: Partial<WorkerStatus>): void {
    this.#status = { ...this.#status, ...changes };
    for (const listener of this.#listeners) listener(this.#status);
  }
}

function describeEnd(end: WorkerEnd, wasReady: boolean): Failure {
  if (end.startFailure) return end.startFailure;
  const lines = end.lastWords.trim().split('\n');
  const lastLine = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
  if (!wasReady) {
    return {
      code: 'worker-start-failed',
      message: `The GPU worker could not start (${end.reason})${lastLine ? `: ${lastLine}` : ''}.`,
      remedy: 'Check the graphics driver and try again; “longleaf doctor” shows what this machine offers.',
    };
  }
  return {
    code: end.cause === 'hung' ? 'worker-hung' : 'worker-died',
    message: `The GPU worker stopped (${end.reason}).`,
    remedy: 'It is started again by itself; your conversations are intact.',
  };
}
