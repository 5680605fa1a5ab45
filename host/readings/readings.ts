/**
 * Documents that are read into memories, one at a time, in the order in which they were asked for. An answer goes
 * first: the reading under way stops at the next chunk, keeps what it has, and goes on afterwards. So it does after a
 * restart, unless the person paused it or does not want that (`continueReadings`).
 */
import type { Failure, Reading } from '../contract/entities.ts';
import { readingSpeed } from '../conversations/answerJob.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { HostError, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import type { MemoryShelf } from '../memories/memoryShelf.ts';
import { ownerName } from '../memories/owners.ts';
import { missingFile } from '../models/modelFileFailures.ts';
import type { ModelStore } from '../models/modelStore.ts';
import type { SettingsStore } from '../storage/settingsStore.ts';
import type { ModelSession } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';
import { readDocument } from './readingJob.ts';
import type { ReadingStore } from './readingStore.ts';

export interface ReadingParts {
  store: ReadingStore;
  documents: DocumentLibrary;
  models: ModelStore;
  settings: SettingsStore;
  supervisor: WorkerSupervisor;
  session: ModelSession;
  line: WorkLine;
  memories: MemoryShelf;
  events: HostEvents;
}

/** Why a reading stops before its end, the weakest first. `wanted`: somebody needs another model, to count with. */
const interruptions = ['wanted', 'answer', 'asleep', 'closing', 'paused', 'removed'] as const;
type Interruption = (typeof interruptions)[number];

interface Running {
  reading: Reading;
  abort: AbortController;
  why: Interruption | null;
  savedAtMs: number;
  ended: Promise<void>;
}

const saveEveryMs = 2000;
/** Another model that was wanted is often wanted again: loading one takes longer than a pause in typing. */
const quietMs = 10_000;
/** Whatever ended it can be over by itself or by what the person does: it is not the document's or the model's fault. */
const passing = new Set(['disk-full', 'memory-quota-full', 'data-folder-in-use', 'worker-died', 'worker-hung', 'device-lost']);
/** The worker is there again by the time it is asked. */
const ofTheWorker = new Set(['worker-died', 'worker-hung', 'device-lost']);

export class Readings {
  readonly #parts: ReadingParts;
  /** Read to their end since the start. */
  readonly #done = new Map<string, Reading>();
  #running: Running | null = null;
  #quietTimer: NodeJS.Timeout | undefined;
  #asleep = false;
  #closing = false;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
    parts.line.onBusy((busy) => (busy ? this.#interrupt('answer') : this.#next()));
  }

  list(): Reading[] {
    const running = this.#running?.reading;
    return [...this.#parts.store.list().map((stored) => (stored.id === running?.id ? running : stored)), ...this.#done.values()];
  }

  /** Goes on with what was under way when the host ended last, or leaves it paused. */
  begin(): void {
    const { store, settings } = this.#parts;
    if (!settings.read().continueReadings) {
      for (const reading of store.list()) if (reading.state === 'queued') store.save({ ...reading, state: 'paused' });
    }
    this.#next();
  }

  start(documentId: string, modelId: string): Reading {
    const { store, documents, models } = this.#parts;
    const document = documents.get(documentId);
    const model = models.get(modelId);
    if (model.state === 'missing') throw missingFile(model);
    for (const done of this.#done.values()) {
      if (done.documentId === documentId && done.modelId === modelId) this.#remove(done.id);
    }
    const known = store.find(documentId, modelId);
    if (known?.state !== 'queued') this.#show(known ? { ...known, state: 'queued', failure: null } : store.add(documentId, modelId, documents.knownTokens(document.id, modelId) ?? 0));
    this.#next();
    const reading = this.list().find((one) => one.documentId === documentId && one.modelId === modelId);
    if (!reading) throw readingNotFound();
    return reading;
  }

  /** Resolves when it has stopped; what it has read is kept. */
  async pause(readingId: string): Promise<Reading> {
    const reading = this.#get(readingId);
    if (this.#running?.reading.id === readingId) await this.#interrupt('paused');
    else if (reading.state === 'queued') this.#show({ ...reading, state: 'paused' });
    return this.#get(readingId);
  }

  /** One that is done is only taken off the list. */
  async cancel(readingId: string): Promise<void> {
    const { memories, events } = this.#parts;
    const { documentId, state } = this.#get(readingId);
    await this.forget((reading) => reading.id === readingId);
    // Another model may be reading the same document.
    if (state === 'done' || this.#parts.store.list().some((other) => other.documentId === documentId)) return;
    await memories.forget([ownerName('reading', documentId)]);
    events.emit('memories.changed', {});
  }

  /** Ends and removes readings, before their documents or models are gone. */
  async forget(which: (reading: Reading) => boolean): Promise<void> {
    for (const { id } of this.list().filter(which)) {
      if (this.#running?.reading.id === id) await this.#interrupt('removed');
      else this.#remove(id);
    }
  }

  /** The machine goes to sleep: what has been read so far is on disk soon, and the rest waits. */
  sleep(): void {
    this.#asleep = true;
    void this.#interrupt('asleep');
  }

  /** The machine has woken up. */
  wake(): void {
    this.#asleep = false;
    this.#next();
  }

  /** What is under way goes on at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#quietTimer);
    await this.#interrupt('closing');
  }

  #get(readingId: string): Reading {
    const found = this.list().find(({ id }) => id === readingId);
    if (!found) throw readingNotFound();
    return found;
  }

  /** Stops what is under way, for the strongest reason there is; resolves when it has stopped. */
  async #interrupt(why: Interruption): Promise<void> {
    const running = this.#running;
    if (!running) return;
    if (running.why === null || interruptions.indexOf(why) > interruptions.indexOf(running.why)) running.why = why;
    running.abort.abort();
    await running.ended;
  }

  #next(): void {
    if (this.#closing || this.#asleep || this.#running || this.#quietTimer || this.#parts.line.busy) return;
    const reading = this.#parts.store.list().find(({ state }) => state === 'queued');
    if (!reading) return;
    const running: Running = { reading, abort: new AbortController(), why: null, savedAtMs: Date.now(), ended: Promise.resolve() };
    this.#running = running;
    running.ended = this.#read(running);
  }

  async #read(running: Running): Promise<void> {
    const { documentId, modelId, doneTokens } = running.reading;
    const { events, models } = this.#parts;
    this.#report(running, { state: 'loading', failure: null });
    try {
      const { tokens, keptTokens, readingMs } = await readDocument(this.#parts, documentId, modelId, {
        signal: running.abort.signal,
        onWanted: () => void this.#interrupt('wanted'),
        onProgress: (change) => this.#report(running, { state: 'reading', ...change }),
      });
      const speed = readingSpeed({ promptTokens: tokens, reusedTokens: keptTokens, readingMs });
      if (speed !== null) models.rememberReadingSpeed(modelId, speed);
      this.#end(running, { state: 'done', doneTokens: tokens, totalTokens: tokens, failure: null });
    } catch (error) {
      this.#end(running, endOf(running, doneTokens, toFailure(error)));
    }
    events.emit('memories.changed', {});
    if (running.why === 'wanted') this.#rest();
    this.#next();
  }

  #end(running: Running, change: Partial<Reading>): void {
    this.#running = null;
    if (running.why === 'removed') return this.#remove(running.reading.id);
    const ended: Reading = { ...running.reading, tokensPerSecond: null, secondsLeft: null, ...change };
    if (ended.state === 'done') {
      this.#parts.store.remove(ended.id);
      this.#done.set(ended.id, ended);
    }
    this.#show(ended);
  }

  /** What is under way changes many times a second, and is saved less often. */
  #report(running: Running, change: Partial<Reading>): void {
    running.reading = { ...running.reading, ...change };
    // What is on its way out is shown when it has stopped.
    if (running.why !== null) return;
    this.#parts.events.emit('readings.changed', running.reading);
    if (Date.now() - running.savedAtMs < saveEveryMs) return;
    running.savedAtMs = Date.now();
    this.#parts.store.save(running.reading);
  }

  #show(reading: Reading): void {
    this.#parts.store.save(reading);
    this.#parts.events.emit('readings.changed', reading);
  }

  #remove(readingId: string): void {
    this.#parts.store.remove(readingId);
    this.#done.delete(readingId);
    this.#parts.events.emit('readings.removed', { readingId });
  }

  #rest(): void {
    if (this.#closing) return;
    this.#quietTimer = setTimeout(() => {
      this.#quietTimer = undefined;
      this.#next();
    }, quietMs);
    this.#quietTimer.unref();
  }
}

/** What becomes of a reading that did not come to its end. */
function endOf({ reading, why }: Running, doneBefore: number, failure: Failure): Partial<Reading> {
  if (why === 'paused') return { state: 'paused' };
  if (why !== null) return { state: 'queued' };
  // As long as it gets ahead, it goes on by itself.
  if (ofTheWorker.has(failure.code) && reading.doneTokens > doneBefore) return { state: 'queued' };
  return { state: passing.has(failure.code) ? 'paused' : 'failed', failure };
}

function readingNotFound(): HostError {
  return new HostError('reading-not-found', 'This reading is no longer there: it was cancelled, or its document is gone.', 'Start it again on the document.');
}
