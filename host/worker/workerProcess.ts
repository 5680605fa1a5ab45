/**
 * One life of the GPU worker: a child process that takes jobs over Node's IPC channel. Everything it
 * says passes a schema. When it ends, every job that was pending fails with the reason.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { AdapterReport, Failure, GpuMemory } from '../contract/entities.ts';
import type { LiveRows, LiveView } from '../contract/liveAttention.ts';
import { Heartbeat } from '../contract/heartbeat.ts';
import { HostError, RelayedError, cancelled } from '../errors.ts';
import { type AnsweredToken, type TracedLayer, type WorkerReply, type WorkerRequest, workerReply } from '../gpu-worker/protocol.ts';

type WithoutJobId<R> = R extends { jobId: string } ? Omit<R, 'jobId'> : never;
export type JobRequest = WithoutJobId<Exclude<WorkerRequest, { kind: 'cancel' | 'ping' | 'quit' }>>;

export interface JobHooks {
  onProgress?(progress: { phase: 'loading' | 'reading' | 'answering' | 'measuring'; done: number; total: number }): void;
  onToken?(token: { id: number; text: string; logprobs?: AnsweredToken[] }): void;
  onTrace?(layers: TracedLayer[]): void;
  onAttention?(told: { view: LiveView | null; rows: LiveRows }): void;
  signal?: AbortSignal;
}

export interface WorkerProcessEvents {
  onReady(adapter: AdapterReport): void;
  onMemory(memory: GpuMemory): void;
  onDeviceLost(failure: Failure): void;
  /** Called once, after every pending job has failed. */
  onExit(end: WorkerEnd): void;
}

export interface WorkerEnd {
  /** "signal SIGKILL", "exit code 134", "no sign of life for 60 s". */
  reason: string;
  cause: 'asked' | 'died' | 'hung';
  /** Why it could not start, in the worker's own words. */
  startFailure: Failure | null;
  /** The end of what it wrote to stderr. */
  lastWords: string;
}

interface Job {
  request: JobRequest;
  hooks: JobHooks;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface WorkerProcessOptions {
  entry: string;
  environment: NodeJS.ProcessEnv;
  pingEveryMs: number;
  hangAfterMs: number;
  /** Opening the adapter blocks the process, so that it cannot answer pings yet. */
  startWithinMs: number;
}

/** The worker reports with this job id why it cannot start (no adapter). */
const startJobId = 'start';
const lastWordsCharacters = 4000;
const lastWordsMs = 500;

export class WorkerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #events: WorkerProcessEvents;
  readonly #options: WorkerProcessOptions;
  readonly #jobs = new Map<string, Job>();
  #nextJob = 1;
  readonly #heartbeat: Heartbeat;
  #ready = false;
  #cause: WorkerEnd['cause'] = 'died';
  #startFailure: Failure | null = null;
  #lastWords = '';
  #ended = false;
  readonly #gone = Promise.withResolvers<void>();

  constructor(options: WorkerProcessOptions, events: WorkerProcessEvents) {
    this.#options = options;
    this.#events = events;
    this.#child = fork(options.entry, [], {
      env: options.environment,
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.pid = this.#child.pid ?? -1;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    }
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.once('error', (error) => {
      this.#heard(error.message);
      // A process that never came to be sends no exit event.
      if (this.#child.pid === undefined) this.#finish('it could not be started');
    });
    this.#child.once('exit', (code, signal) => {
      const finish = () => this.#finish(signal ? `signal ${signal}` : `exit code ${code}`);
      // What it said as it died is read only now; it may have left a child that keeps its streams open.
      const late = setTimeout(finish, lastWordsMs);
      this.#child.once('close', () => {
        clearTimeout(late);
        finish();
      });
    });
    const ping = () => this.#send({ kind: 'ping', jobId: 'ping' });
    // What it owes at first is that it is ready.
    this.#heartbeat = new Heartbeat({ everyMs: options.pingEveryMs, patienceMs: () => this.#patienceMs, ping, onHang: () => this.#hang() }, true);
    this.#heartbeat.start();
  }

  run(request: JobRequest, hooks: JobHooks = {}): Promise<unknown> {
    if (hooks.signal?.aborted) return Promise.reject(cancelled());
    const jobId = `job-${this.#nextJob++}`;
    const cancel = () => this.#send({ kind: 'cancel', jobId });
    hooks.signal?.addEventListener('abort', cancel, { once: true });
    const done = new Promise((resolve, reject) => {
      this.#jobs.set(jobId, { request, hooks, resolve, reject });
      this.#send({ ...request, jobId } as WorkerRequest);
    });
    // A signal may outlive many jobs: a sweep's does.
    return done.finally(() => hooks.signal?.removeEventListener('abort', cancel));
  }

  /** Asks it to end; kills it when it has not after `deadlineMs`. */
  async quit(deadlineMs: number): Promise<void> {
    if (this.#ended) return;
    this.#cause = 'asked';
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    this.#send({ kind: 'quit', jobId: 'quit' });
    await this.#gone.promise;
    clearTimeout(kill);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(request: WorkerRequest): void {
    // A closed channel shows as the exit event, which fails the jobs.
    if (this.#child.connected) this.#child.send(request, () => undefined);
  }

  get #patienceMs(): number {
    return this.#ready ? this.#options.hangAfterMs : this.#options.startWithinMs;
  }

  #hang(): void {
    this.#cause = 'hung';
    this.kill();
  }

  #receive(message: unknown): void {
    const parsed = workerReply.safeParse(message);
    if (!parsed.success) {
      this.#heard(`An unreadable message: ${parsed.error.issues[0]?.message ?? ''}`);
      return;
    }
    if (parsed.data.kind === 'ready') this.#ready = true;
    // Whatever it says, it is alive.
    if (this.#ready) this.#heartbeat.heard();
    this.#handle(parsed.data);
  }

  #handle(reply: WorkerReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#events.onReady(reply.adapter);
        return;
      case 'memory':
        this.#events.onMemory(reply.memory);
        return;
      case 'device-lost':
        this.#events.onDeviceLost(reply.failure);
        return;
      case 'progress':
        this.#jobs.get(reply.jobId)?.hooks.onProgress?.(reply);
        return;
      case 'token':
        this.#jobs.get(reply.jobId)?.hooks.onToken?.(reply);
        return;
      case 'trace':
        this.#jobs.get(reply.jobId)?.hooks.onTrace?.(reply.layers);
        return;
      case 'attention':
        this.#jobs.get(reply.jobId)?.hooks.onAttention?.({ view: reply.view, rows: reply.rows });
        return;
      case 'done':
        this.#take(reply.jobId)?.resolve(reply.value);
        return;
      case 'failed':
        if (reply.jobId === startJobId) this.#startFailure = reply.failure;
        else this.#take(reply.jobId)?.reject(new RelayedError(reply.failure));
    }
  }

  #take(jobId: string): Job | undefined {
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    return job;
  }

  #heard(text: string): void {
    if (process.env['LONGLEAF_DEBUG']) process.stderr.write(text);
    this.#lastWords = (this.#lastWords + text).slice(-lastWordsCharacters);
  }

  #finish(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#heartbeat.stop();
    const seconds = Math.round(this.#patienceMs / 1000);
    const reason = this.#cause === 'hung' ? `no sign of life for ${seconds} s` : how;
    for (const { request, reject } of this.#jobs.values()) reject(stopped(reason, this.#cause, request));
    this.#jobs.clear();
    this.#events.onExit({ reason, cause: this.#cause, startFailure: this.#startFailure, lastWords: this.#lastWords });
    this.#gone.resolve();
  }
}

const doing: Record<JobRequest['kind'], string> = {
  load: 'loading the model',
  unload: 'unloading the model',
  tokens: 'counting tokens',
  'token-range': 'counting tokens',
  measure: 'counting tokens',
  generate: 'answering',
  read: 'reading',
  memories: 'looking after the memories',
  inspect: 'looking into an answer',
  logits: 'computing logits',
  bench: 'measuring its speed',
  loading: 'measuring how fast it loads',
  profile: 'measuring its kernels',
  timeline: 'measuring its kernels',
  doctor: 'examining the GPU',
};

function stopped(reason: string, cause: WorkerEnd['cause'], request: JobRequest): HostError {
  if (cause === 'asked') return new HostError('cancelled', `The GPU worker was closed while ${doing[request.kind]}.`, 'Try again.');
  return new HostError(
    cause === 'hung' ? 'worker-hung' : 'worker-died',
    `The GPU worker stopped (${reason}) while ${doing[request.kind]}.`,
    request.kind === 'generate' ? 'Your conversation is intact: press Try again.' : 'It is being started again: try again.',
  );
}
