/** The worker's state and its queue of jobs: one device, at most one model. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../../engine/device/device.ts';
import { cancelled, EngineError } from '../../engine/errors.ts';
import { prepareInspection } from '../../engine/inspect/inspection.ts';
import type { Failure } from '../contract/entities.ts';
import { isCancelled } from '../errors.ts';
import { MemoryDamagedError, MemoryMismatchError } from '../memories/failures.ts';
import { openAdapter, reportAdapter } from './adapter.ts';
import { ActiveModel } from './activeModel.ts';
import { ChoiceFile } from './choiceFile.ts';
import { endProcess } from './endProcess.ts';
import { IdleScrub } from './idleScrub.ts';
import { bench } from './jobs/bench.ts';
import { doctor } from './jobs/doctor.ts';
import { generate } from './jobs/generate.ts';
import { AnswerInspector } from './inspect/answerInspector.ts';
import { inspect } from './jobs/inspect.ts';
import { loading } from './jobs/loading.ts';
import { logits } from './jobs/logits.ts';
import { measure } from './jobs/measure.ts';
import { profile } from './jobs/profile.ts';
import { timeline } from './jobs/timeline.ts';
import { read } from './jobs/read.ts';
import { documentTokenRange } from './jobs/tokenRange.ts';
import { WorkerMemories } from './memories.ts';
import type { WorkerReply, WorkerRequest } from './protocol.ts';

/** What a job may use besides its request. */
export interface JobContext {
  jobId: string;
  /** The loaded model's, so that what a job leaves behind goes with the model. */
  device: Device;
  signal: AbortSignal;
  send(reply: WorkerReply): void;
  memories: WorkerMemories;
  /** Reports at most a few times a second; the last report of a phase always goes out. */
  progress(phase: 'loading' | 'reading' | 'answering' | 'measuring', done: number, total: number): void;
}

const progressEveryMs = 100;

export class GpuWorker {
  readonly #send: (reply: WorkerReply) => void;
  readonly #failureOf: (error: unknown) => Failure;
  readonly #running = new Map<string, AbortController>();
  readonly #memories = new WorkerMemories();
  #device: Device;
  /** Whether Dawn checks bounds in shaders on this device. */
  #boundsChecks = false;
  #model: ActiveModel | null = null;
  #inspector: AnswerInspector | null = null;
  /** Devices whose end is known: lost, or left for one with other checks. */
  readonly #ended = new WeakSet<Device>();
  readonly #scrub = new IdleScrub(() => this.#memories.opened());
  /** The end of the queue of GPU jobs. */
  #queue: Promise<void> = Promise.resolve();

  private constructor(device: Device, send: (reply: WorkerReply) => void, failureOf: (error: unknown) => Failure) {
    this.#device = device;
    this.#send = send;
    this.#failureOf = failureOf;
    void this.#watchLoss(device);
  }

  static async open(send: (reply: WorkerReply) => void, failureOf: (error: unknown) => Failure): Promise<GpuWorker> {
    const device = await openAdapter({ boundsChecks: false });
    const worker = new GpuWorker(device, send, failureOf);
    send({ kind: 'ready', adapter: reportAdapter(device.facts) });
    return worker;
  }

  take(request: WorkerRequest): void {
    switch (request.kind) {
      case 'ping':
        return this.#send({ kind: 'done', jobId: request.jobId, value: {} });
      case 'cancel':
        return this.#running.get(request.jobId)?.abort();
      case 'quit':
        return this.#quit();
      case 'tokens':
      case 'measure':
        // Only the tokenizer is needed: a running answer need not end first.
        void this.#run(request);
        return undefined;
      case 'memories':
        // What a person deletes may be what an answer reads: after it, not in its middle.
        this.#register(request.jobId);
        if (request.call.name === 'remove' || request.call.name === 'removeLeaf' || request.call.name === 'sweep') this.#queue = this.#queue.then(() => this.#run(request));
        else void this.#run(request);
        return undefined;
      default:
        this.#register(request.jobId);
        this.#queue = this.#queue.then(() => this.#run(request));
        return undefined;
    }
  }

  #register(jobId: string): AbortController {
    void this.#scrub.end();
    const controller = this.#running.get(jobId) ?? new AbortController();
    this.#running.set(jobId, controller);
    return controller;
  }

  async #run(request: WorkerRequest): Promise<void> {
    const { jobId } = request;
    const { signal } = this.#register(jobId);
    const device = this.#device;
    try {
      if (signal.aborted) throw cancelled();
      const value = await this.#perform(request, this.#context(jobId, signal));
      this.#send({ kind: 'memory', memory: this.#device.memory.report() });
      this.#send({ kind: 'done', jobId, value });
    } catch (error) {
      // Loading may have changed the device.
      const used = request.kind === 'load' ? this.#device : device;
      const reason = isCancelled(error) ? error : await used.explain(error);
      await this.#noteDamage(reason, request).catch((failure: unknown) => void process.stderr.write(`a damaged segment could not be put aside: ${String(failure)}\n`));
      // The host hears of the loss before it hears that the job failed: whoever tries again then loads the model again.
      if (reason instanceof EngineError && reason.code === 'device-lost') this.#noteLoss(used, reason);
      this.#send({ kind: 'failed', jobId, failure: this.#failureOf(reason) });
    } finally {
      this.#running.delete(jobId);
      if (this.#running.size === 0) this.#scrub.begin();
    }
  }

  async #perform(request: WorkerRequest, context: JobContext): Promise<unknown> {
    if (changesSequence(request)) this.#inspector?.close();
    switch (request.kind) {
      case 'load':
        return this.#load(request, context);
      case 'unload':
        await this.#unload();
        return {};
      case 'tokens':
        return { tokens: this.#loaded().tokenizer.encode(request.text) };
      case 'token-range':
        return documentTokenRange(this.#loaded(), request);
      case 'measure':
        return measure(this.#loaded(), request, this.#memories);
      case 'generate':
        return generate(this.#loaded(), request, context, choicesFolder());
      case 'read':
        return read(this.#loaded(), request, context);
      case 'memories':
        return this.#callMemories(request);
      case 'inspect':
        return inspect(this.#inspectorOf(this.#loaded()), request, context);
      case 'logits':
        return logits(this.#loaded(), request, context);
      case 'bench':
        return bench(this.#loaded(), request, context);
      case 'loading':
        return loading(this.#loaded(), this.#device);
      case 'profile':
        return profile(this.#loaded(), request, context);
      case 'timeline':
        return timeline(this.#loaded(), request, context);
      case 'doctor':
        return doctor(this.#device, this.#model, this.#boundsChecks);
      default:
        throw new Error(`a ${request.kind} request is not a job`);
    }
  }

  async #callMemories({ folder, call }: Extract<WorkerRequest, { kind: 'memories' }>): Promise<unknown> {
    // What is deleted may be what the loaded model reads from: it begins anew with the next question. First of all what
    // is on its way to the disk, which would come back otherwise.
    if (call.name === 'remove' || call.name === 'removeLeaf') await this.#model?.forget();
    return this.#memories.call(folder, call);
  }

  /** Segments that are damaged or do not fit are put aside: trying again reads them anew. */
  async #noteDamage(error: unknown, request: WorkerRequest): Promise<void> {
    const keys = error instanceof MemoryMismatchError ? error.keys : error instanceof MemoryDamagedError && error.key !== null ? [error.key] : [];
    if (keys.length === 0 || !('keeping' in request) || !request.keeping) return;
    await this.#model?.forget();
    const store = await this.#memories.store(request.keeping.folder);
    for (const key of keys) await store.quarantine(key);
  }

  async #load(request: Extract<WorkerRequest, { kind: 'load' }>, context: JobContext): Promise<unknown> {
    await this.#unload();
    if (request.boundsChecks !== this.#boundsChecks) await this.#changeDevice(request.boundsChecks);
    const choices = new ChoiceFile(choicesFolder(), this.#device.facts, { boundsChecks: this.#boundsChecks });
    this.#model = await ActiveModel.load(this.#device, request, { choices, spillFolder: choicesFolder() }, context);
    // Beside what the GPU does; where the processor computes, only once somebody looks.
    if (this.#device.facts.kind === 'gpu') prepareInspection(this.#device, this.#model.loaded.runner);
    return this.#model.description;
  }

  async #unload(): Promise<void> {
    await this.#model?.endKeeping();
    this.#inspector?.close();
    this.#inspector = null;
    this.#model?.free();
    this.#model = null;
  }

  #loaded(): ActiveModel {
    if (this.#model) return this.#model;
    throw new EngineError('internal', 'No model is loaded in the GPU worker.', 'Try again: the model is loaded first.');
  }

  #inspectorOf(model: ActiveModel): AnswerInspector {
    return (this.#inspector ??= new AnswerInspector(model, choicesFolder()));
  }

  #context(jobId: string, signal: AbortSignal): JobContext {
    const send = this.#send;
    let lastMs = 0;
    return {
      jobId,
      device: this.#model?.loaded.device ?? this.#device,
      signal,
      send,
      memories: this.#memories,
      progress(phase, done, total) {
        const now = performance.now();
        if (done < total && now - lastMs < progressEveryMs) return;
        lastMs = now;
        send({ kind: 'progress', jobId, phase, done, total });
      },
    };
  }

  /** The checks belong to a device: a model that wants others gets another. */
  async #changeDevice(boundsChecks: boolean): Promise<void> {
    const next = await openAdapter({ boundsChecks });
    this.#ended.add(this.#device);
    // Not under the hands of what may still run on it.
    await this.#device.finished().catch(() => undefined);
    this.#device.destroy();
    this.#device = next;
    this.#boundsChecks = boundsChecks;
    void this.#watchLoss(next);
  }

  /** Tests lose the device in earnest by this. */
  loseDevice(): void {
    this.#device.destroy();
  }

  async #watchLoss(device: Device): Promise<void> {
    this.#noteLoss(device, await device.lost);
  }

  /** After a loss everything on the device is gone: a new one is opened, and the host loads the model again. */
  #noteLoss(device: Device, error: EngineError): void {
    if (this.#ended.has(device)) return;
    this.#ended.add(device);
    const model = this.#model;
    this.#model = null;
    this.#inspector = null;
    this.#send({ kind: 'device-lost', failure: this.#failureOf(error) });
    // Jobs that are waiting run on the new device.
    this.#queue = this.#queue.then(() => this.#reopen(model));
  }

  /** `lostModel`: its threads and files go, now that no job uses them. */
  async #reopen(lostModel: ActiveModel | null): Promise<void> {
    await lostModel?.endKeeping();
    lostModel?.free();
    try {
      this.#device = await openAdapter({ boundsChecks: this.#boundsChecks });
    } catch {
      // Without an adapter this process is of no use; the host starts another, with back-off.
      process.exit(1);
    }
    void this.#watchLoss(this.#device);
  }

  async #leave(): Promise<void> {
    await this.#model?.endKeeping();
    await this.#memories.close();
    endProcess();
  }

  #quit(): void {
    for (const controller of this.#running.values()) controller.abort();
    void this.#queue.then(() => this.#scrub.end()).finally(() => this.#leave());
  }
}

/** What is computed for such a request takes the place of what an inspection looks at. */
function changesSequence({ kind }: WorkerRequest): boolean {
  return kind === 'generate' || kind === 'read' || kind === 'logits' || kind === 'bench' || kind === 'profile' || kind === 'timeline' || kind === 'memories';
}

/** Measurements can be made again: they belong with caches, not with a person's data. */
function choicesFolder(): string {
  return process.env['LONGLEAF_CACHE'] ?? join(homedir(), '.cache', 'longleaf');
}
