/**
 * Goes through documents for questions that ask for all of something: every window is read whole and asked by itself,
 * what they give is collected, and what was not read is known. One at a time, only while nobody waits for an answer; it
 * goes on where it was after a stop, a kill or a restart.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultSampling } from '../contract/entities.ts';
import { type Sweep, sweepKindOf, type SweepWindow } from '../contract/sweep.ts';
import type { DocumentLibrary } from '../documents/documentLibrary.ts';
import { cancelled, isCancelled, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import { generateResult } from '../gpu-worker/protocol.ts';
import type { ModelStore } from '../models/modelStore.ts';
import { modelTarget } from '../models/modelTarget.ts';
import type { SettingsStore } from '../storage/settingsStore.ts';
import type { ModelSession } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import type { WorkLine } from '../worker/workLine.ts';
import { itemsOf, joined, windowQuestion } from './items.ts';
import type { SweepStore } from './sweepStore.ts';
import { windowsOf } from './windows.ts';

export interface SweepParts {
  store: SweepStore;
  documents: DocumentLibrary;
  models: ModelStore;
  settings: SettingsStore;
  supervisor: WorkerSupervisor;
  session: ModelSession;
  line: WorkLine;
  events: HostEvents;
  /** For the text of the window that is being asked. */
  stagingFolder: string;
}

/** Of a window. */
export const mostAnswerTokens = 256;

export class Sweeps {
  readonly #parts: SweepParts;
  #running: { id: string; abort: AbortController; ended: Promise<void> } | null = null;
  #closing = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    parts.line.onBusy((busy) => {
      if (!busy) this.#next();
    });
    parts.line.onAnswer(() => this.#running?.abort.abort());
  }

  list(): Sweep[] {
    return this.#parts.store.list();
  }

  /** Goes on with what was under way when the host ended last. */
  begin(): void {
    for (const one of this.list()) if (one.state === 'running') this.#parts.store.save({ ...one, state: 'queued' });
    this.#next();
  }

  async start({ documentId, modelId, conversationId, question }: Pick<Sweep, 'documentId' | 'modelId' | 'conversationId' | 'question'>): Promise<Sweep> {
    const { store, documents, models } = this.#parts;
    documents.get(documentId);
    models.get(modelId);
    const text = await readFile(documents.textPath(documentId), 'utf8');
    const windows = windowsOf(text).map((span): SweepWindow => ({ ...span, state: 'waiting' }));
    const added = store.add({ documentId, modelId, conversationId, question, kind: sweepKindOf(question) ?? 'list', state: 'queued', windows, items: [], failure: null });
    this.#parts.events.emit('sweeps.changed', added);
    this.#next();
    return added;
  }

  async pause(sweepId: string): Promise<Sweep> {
    const before = this.#parts.store.get(sweepId);
    if (before.state === 'queued' || before.state === 'running') this.#change(sweepId, { state: 'paused' });
    await this.#interrupt(sweepId);
    return this.#parts.store.get(sweepId);
  }

  /** Also tries again what failed. */
  resume(sweepId: string): Sweep {
    const { state, windows } = this.#parts.store.get(sweepId);
    const again = windows.map((window): SweepWindow => (window.state === 'failed' ? { ...window, state: 'waiting' } : window));
    if (state === 'paused' || state === 'failed' || again.some(({ state: one }) => one === 'waiting')) this.#change(sweepId, { state: 'queued', windows: again, failure: null });
    this.#next();
    return this.#parts.store.get(sweepId);
  }

  async remove(sweepId: string): Promise<void> {
    this.#parts.store.get(sweepId);
    this.#change(sweepId, { state: 'paused' });
    await this.#interrupt(sweepId);
    this.#parts.store.remove(sweepId);
    this.#parts.events.emit('sweeps.removed', { sweepId });
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#running) await this.#interrupt(this.#running.id);
  }

  async #interrupt(sweepId: string): Promise<void> {
    const running = this.#running;
    if (running?.id !== sweepId) return;
    running.abort.abort();
    await running.ended;
  }

  #next(): void {
    if (this.#closing || this.#running || this.#parts.line.busy) return;
    const next = this.list().find(({ state }) => state === 'queued');
    if (!next) return;
    const abort = new AbortController();
    this.#running = { id: next.id, abort, ended: this.#run(next.id, abort.signal) };
  }

  async #run(sweepId: string, signal: AbortSignal): Promise<void> {
    // What calls this knows of it first.
    await Promise.resolve();
    this.#change(sweepId, { state: 'running', failure: null });
    try {
      await this.#goThrough(sweepId, signal);
      this.#change(sweepId, { state: 'done' });
    } catch (error) {
      const { state } = this.#parts.store.get(sweepId);
      // Somebody asked something in between: it goes on afterwards.
      if (isCancelled(error)) this.#change(sweepId, { state: state === 'running' ? 'queued' : state });
      else this.#change(sweepId, { state: 'failed', failure: toFailure(error) });
    }
    this.#running = null;
    this.#next();
  }

  async #goThrough(sweepId: string, signal: AbortSignal): Promise<void> {
    const { documents, models, settings, session, supervisor, line, stagingFolder, store } = this.#parts;
    const { documentId, modelId, question, kind, windows } = store.get(sweepId);
    const text = await readFile(documents.textPath(documentId), 'utf8');
    const model = models.get(modelId);
    const textPath = join(stagingFolder, `sweep-${sweepId}.txt`);
    const { name } = documents.get(documentId);
    try {
      for (const [index, window] of windows.entries()) {
        if (window.state !== 'waiting') continue;
        await writeFile(textPath, text.slice(window.start, window.end), { mode: 0o600 });
        const prompt = { kind: 'chat' as const, documents: [{ id: `${sweepId}-${index}`, name, textPath }], system: '', history: [], question: windowQuestion(question, kind) };
        const request = { kind: 'generate' as const, prompt, sampling: { ...defaultSampling, maxTokens: mostAnswerTokens }, stop: [] };
        const target = modelTarget(models, model, settings.read().kv, null);
        const { text: answer, statistics } = await line.aside(() => session.use(target, { signal }, () => supervisor.run(request, generateResult, { signal })));
        if (signal.aborted || statistics.stopReason === 'cancelled') throw cancelled();
        this.#note(sweepId, index, answer, text);
      }
    } finally {
      await rm(textPath, { force: true });
    }
  }

  /** What a window gave, at once on disk. */
  #note(sweepId: string, index: number, answer: string, text: string): void {
    const { question, kind, windows, items } = this.#parts.store.get(sweepId);
    const window = windows[index];
    const { start, end } = window;
    const given = kind === 'summary' ? [{ text: answer.trim(), passages: [{ start, end, verified: false }] }].filter((item) => item.text !== '') : itemsOf(answer, { text, window, question });
    const state = given.length > 0 ? 'gave' : 'empty';
    this.#change(sweepId, {
      windows: windows.map((one, i): SweepWindow => (i === index ? { ...one, state } : one)),
      items: kind === 'summary' ? [...items, ...given] : joined(items, given),
    });
  }

  #change(sweepId: string, change: Partial<Sweep>): void {
    const { store, events } = this.#parts;
    const changed = { ...store.get(sweepId), ...change };
    store.save(changed);
    events.emit('sweeps.changed', changed);
  }
}
