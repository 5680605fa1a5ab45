/** What the stand-in host answers; see fakeHost.ts. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Conversation,
  type Download,
  type Failure,
  type ContextTiers,
  type Message,
  type Reading,
  type Settings,
  type WorkerStatus,
  defaultSampling,
  defaultSettings,
} from '../../host/contract/entities.ts';
import type { EventName, EventPayload } from '../../host/contract/methods.ts';
import * as data from './fakeData.ts';
import { conversationOf, messageOf } from './scriptedHost.ts';

interface FakeOptions {
  firstRun: boolean;
  noAdapter: boolean;
  emit<E extends EventName>(name: E, payload: EventPayload<E>): void;
}

type Params = Record<string, string> & Partial<Pick<Conversation, 'documentIds' | 'sampling'>> & { start: number; end: number };

const tokensOf = (text: string) => Math.ceil(text.length / 4.2);
const failureOf = (message: string, remedy: string): Failure => ({ code: 'sample', message, remedy });

export class FakeContract {
  readonly #options: FakeOptions;
  readonly #uploads = new Map<string, { name: string; text: string }>();
  readonly #texts = new Map<string, string>(data.documents.map(({ id, characters }) => [id, data.documentText.slice(0, characters)]));
  readonly #documents = new Map(data.documents.map((document) => [document.id, document]));
  readonly #conversations: Map<string, Conversation>;
  readonly #messages: Map<string, Message[]>;
  readonly #stopped = new Set<string>();
  #downloads: Download[] = [];
  #failedOnce = false;
  #models = data.models;
  #memories = data.memories;
  #readings: Reading[] = data.readings;
  #quotaBytes: number | null = 20_000_000_000;
  #settings: Settings = { ...defaultSettings, defaultModelId: 'smollm2-135m' };
  #worker: WorkerStatus;
  #next = 0;

  constructor(options: FakeOptions) {
    this.#options = options;
    this.#conversations = new Map(options.firstRun ? [] : data.conversations.map((conversation) => [conversation.id, conversation]));
    this.#messages = new Map(Object.entries(data.messages));
    if (options.firstRun) {
      this.#models = [];
      this.#memories = [];
      this.#readings = [];
    }
    const memory = { weightsBytes: 144_811_072, kvBytes: 94_371_840, activationsBytes: 22_020_096, stagingBytes: 4_194_304, totalBytes: 265_397_312 };
    this.#worker = options.noAdapter
      ? { state: 'failed', adapter: null, memory: null, loadedModelId: null, loading: null, failure: failureOf('No WebGPU adapter was found.', 'Install a Vulkan driver (on Debian: apt install mesa-vulkan-drivers) and restart the GPU process.') }
      : { state: 'ready', adapter: data.adapter, memory: options.firstRun ? null : memory, loadedModelId: options.firstRun ? null : 'smollm2-135m', loading: null, failure: null };
  }

  upload(name: string, body: Buffer): string {
    const id = `file${this.#next++}`;
    this.#uploads.set(id, { name, text: body.toString('utf8') });
    return id;
  }

  setWorker(state: string): void {
    this.#worker = { ...this.#worker, state: state as WorkerStatus['state'], failure: null };
    this.#options.emit('worker.status', this.#worker);
  }

  async call(method: string, given: unknown): Promise<unknown> {
    const params = given as Params;
    switch (method) {
      case 'app.status':
        return { version: '0.1.0', worker: this.#worker, settings: this.#settings, firstRun: this.#options.firstRun && this.#models.length === 0 };
      case 'app.machine':
        return data.machine;
      case 'app.outbound':
        return [{ atMs: data.startedAtMs, purpose: 'model download', address: 'https://huggingface.co/org/model/resolve/main/model.gguf', outcome: '200' }];
      case 'app.log':
        return ['2026-11-29T10:00:00.000Z host answer complete'];
      case 'app.diagnostics':
        return { text: '{}' };
      case 'app.licences':
        return [{ name: 'react', version: '19.3.1', licence: 'MIT', text: 'MIT License', homepage: null }];
      case 'settings.update':
        this.#settings = { ...this.#settings, ...(given as Partial<Settings>) };
        return this.#settings;
      case 'models.list':
        return this.#models;
      case 'models.catalogue':
        return data.catalogue;
      case 'models.import':
        await pause(700);
        throw failureOf(`“${this.#uploads.get(params.fileId)?.name}” is not a GGUF file: it begins with “PK”.`, 'Choose a file that ends in .gguf.');
      case 'models.importPath':
        throw failureOf(`There is no file and no folder ${params.path}.`, 'Look where it is, and write its whole path.');
      case 'models.verify':
        await pause(900);
        return { ok: true, sha256: 'a'.repeat(64), failure: null };
      case 'models.verdict':
        return data.verdict;
      case 'downloads.list':
        return this.#downloads;
      case 'downloads.start':
        return this.#download(params.catalogueId);
      case 'downloads.cancel':
        this.#stopped.add(params.downloadId);
        return {};
      case 'documents.list':
        return [...this.#documents.values()];
      case 'documents.add': {
        await pause(500);
        const { name, text } = this.#uploads.get(params.fileId) ?? { name: '?', text: '' };
        if (text.includes('\0')) throw failureOf(`“${name}” is not a text: it holds bytes that no text holds.`, 'Attach a .txt or .md file.');
        return this.#addDocument(name, text);
      }
      case 'documents.addText':
        return this.#addDocument(params.name, params.text);
      case 'documents.text': {
        const text = this.#texts.get(params.documentId) ?? '';
        return { text: text.slice(params.start, params.end), characters: text.length };
      }
      case 'documents.countTokens':
        return { tokens: tokensOf(this.#texts.get(params.documentId) ?? '') };
      case 'memories.list':
        return this.#memories;
      case 'memories.remove': {
        const removed = this.#memories.find(({ id }) => id === params.memoryId);
        this.#memories = this.#memories.filter((memory) => memory !== removed);
        return { freedBytes: removed?.freedBytes ?? 0 };
      }
      case 'memories.quota': {
        const { quotaBytes } = given as { quotaBytes?: number | null };
        if (quotaBytes !== undefined) this.#quotaBytes = quotaBytes;
        const usedBytes = this.#memories.reduce((total, { freedBytes }) => total + freedBytes, 0);
        return { usedBytes, quotaBytes: this.#quotaBytes, freeBytes: Math.max(0, (this.#quotaBytes ?? data.machine.diskFreeBytes) - usedBytes) };
      }
      case 'inspector.live':
        return null;
      case 'inspector.evidence':
        return { state: 'none', evidence: null, failure: null };
      case 'sweeps.list':
        return [];
      case 'readings.list':
        return this.#readings;
      case 'readings.start':
        return this.#read(params.documentId, params.modelId);
      case 'readings.pause':
        return this.#changeReading(params.readingId, { state: 'paused', tokensPerSecond: null, secondsLeft: null });
      case 'readings.cancel':
        this.#readings = this.#readings.filter(({ id }) => id !== params.readingId);
        this.#options.emit('readings.removed', { readingId: params.readingId });
        return {};
      case 'conversations.list':
        return { conversations: [...this.#conversations.values()], more: false };
      case 'conversations.events':
      case 'folders.list':
      case 'presets.list':
        return [];
      case 'search.query':
        return { chats: [], messages: [], documents: [], documentsWaiting: 0 };
      case 'conversations.create':
        return this.#save(conversationOf(`n${this.#next++}`, { title: 'New conversation', modelId: null, sampling: defaultSampling, ...params, updatedAtMs: Date.now() }));
      case 'conversations.update': {
        const { conversationId, ...change } = params;
        return this.#save({ ...this.#conversation(conversationId), ...change });
      }
      case 'conversations.remove':
        this.#conversations.delete(params.conversationId);
        return {};
      case 'conversations.messages':
        return this.#messages.get(params.conversationId) ?? [];
      case 'chat.meter':
        return this.#meter(params.conversationId, params.draft);
      case 'chat.send':
        return this.#ask(params.conversationId, params.text);
      case 'chat.stop':
        this.#stopped.add(params.conversationId);
        return {};
      case 'chat.regenerate':
      case 'chat.edit':
        return this.#again(method, params.messageId, params.text);
      case 'chat.select':
        return [...this.#messages.values()].find((path) => path.some(({ siblingIds }) => siblingIds.includes(params.messageId))) ?? [];
      default:
        return {};
    }
  }

  #conversation(id: string): Conversation {
    const found = this.#conversations.get(id);
    if (!found) throw new Error(`No conversation ${id}.`);
    return found;
  }

  #save(conversation: Conversation): Conversation {
    this.#conversations.set(conversation.id, conversation);
    return conversation;
  }

  #addDocument(name: string, text: string) {
    const document = data.documentOf(`d${this.#next++}`, name, { characters: text.length, sizeBytes: Buffer.byteLength(text) });
    this.#documents.set(document.id, document);
    this.#texts.set(document.id, text);
    return document;
  }

  #meter(conversationId: string, draft: string) {
    const { documentIds, sampling } = this.#conversation(conversationId);
    const documents = documentIds.map((documentId) => ({ documentId, name: this.#documents.get(documentId)?.name ?? '?', tokens: tokensOf(this.#texts.get(documentId) ?? '') }));
    const historyTokens = (this.#messages.get(conversationId) ?? []).reduce((sum, { text }) => sum + tokensOf(text), 0);
    const parts = { headerTokens: 14, systemTokens: 16, documents, historyTokens, questionTokens: tokensOf(draft), answerReserveTokens: sampling.maxTokens };
    const prompt = 30 + historyTokens + parts.questionTokens + documents.reduce((sum, { tokens }) => sum + tokens, 0);
    const freeTokens = 8192 - prompt - sampling.maxTokens;
    const refusal = failureOf(`This needs ${(8192 - freeTokens).toLocaleString('en')} tokens, but SmolLM2 135M Instruct can hold 8,192.`, 'Remove a document or choose a model with a longer context. Nothing is cut.');
    return { ...parts, windowTokens: 8192, trainedTokens: 8192, layers: data.layerGroups, freeTokens, refusal: freeTokens < 0 ? refusal : null, cachedTokens: historyTokens > 0 ? Math.min(5890, prompt) : 0, tiers: this.#tiers(prompt, conversationId), readingTokensPerSecond: 107, keptBytesPerToken: 23_040 };
  }

  /** The GPU holds 2,000 tokens here. */
  #tiers(promptTokens: number, conversationId: string): ContextTiers {
    const { policy } = this.#conversation(conversationId);
    const offloadedTokens = Math.max(0, promptTokens - 2000);
    const beyond = { residentTokens: promptTokens - offloadedTokens, offloadedTokens };
    if (policy?.name === 'window') {
      return { ...beyond, policy: 'window', chosenTokens: 0, estimatedTokens: 0, droppedTokens: offloadedTokens, droppedBecause: 'the policy “window” attends to the first and the latest tokens only' };
    }
    const chosenTokens = Math.ceil(offloadedTokens / 50);
    return { ...beyond, policy: policy?.name ?? 'sketch', chosenTokens, estimatedTokens: offloadedTokens - chosenTokens, droppedTokens: 0, droppedBecause: null };
  }

  #changeReading(id: string, change: Partial<Reading>): Reading | undefined {
    this.#readings = this.#readings.map((reading) => (reading.id === id ? { ...reading, ...change } : reading));
    const changed = this.#readings.find((reading) => reading.id === id);
    if (changed) this.#options.emit('readings.changed', changed);
    return changed;
  }

  /** A book in half a minute. */
  #read(documentId: string, modelId: string): Reading {
    const totalTokens = tokensOf(this.#texts.get(documentId) ?? '');
    const known = this.#readings.find((reading) => reading.documentId === documentId && reading.modelId === modelId);
    const reading: Reading = known ?? { id: `reading${this.#next++}`, documentId, modelId, state: 'queued', doneTokens: 0, totalTokens, tokensPerSecond: null, secondsLeft: null, failure: null };
    if (!known) this.#readings = [...this.#readings, reading];
    const perSecond = totalTokens / 30;
    const run = async () => {
      this.#changeReading(reading.id, { state: 'loading', failure: null });
      await pause(700);
      for (let { doneTokens } = reading; doneTokens < totalTokens; doneTokens += perSecond / 4) {
        const now = this.#readings.find(({ id }) => id === reading.id);
        if (!now || now.state === 'paused') return;
        this.#changeReading(reading.id, { state: 'reading', doneTokens: Math.round(doneTokens), tokensPerSecond: perSecond, secondsLeft: (totalTokens - doneTokens) / perSecond });
        await pause(250);
      }
      this.#changeReading(reading.id, { state: 'done', doneTokens: totalTokens, tokensPerSecond: null, secondsLeft: null });
    };
    void run();
    return { ...reading, state: 'queued' };
  }

  async #download(catalogueId: string): Promise<Download> {
    const entry = data.catalogue.find(({ id }) => id === catalogueId) ?? data.catalogue[0];
    const id = `download${this.#next++}`;
    let download: Download = { id, catalogueId, sha256: entry.sha256, name: entry.name, state: 'starting', waiting: null, source: 'huggingface.co', doneBytes: 0, totalBytes: entry.sizeBytes, bytesPerSecond: 0, modelId: null, failure: null };
    const change = (part: Partial<Download>) => {
      download = { ...download, ...part };
      this.#downloads = [...this.#downloads.filter((other) => other.id !== id), download];
      this.#options.emit('downloads.changed', download);
    };
    const run = async () => {
      for (let step = 1; step <= 40; step++) {
        await pause(100);
        if (this.#stopped.has(id)) return change({ state: 'cancelled' });
        if (step === 25 && !this.#failedOnce && this.#options.firstRun) {
          this.#failedOnce = true;
          return change({ state: 'failed', failure: failureOf('The connection to huggingface.co broke after 90.5 MB.', 'Check the network and try again: the download goes on where it stopped.') });
        }
        change({ state: 'downloading', doneBytes: Math.round((entry.sizeBytes * step) / 40), bytesPerSecond: 36_000_000 });
      }
      change({ state: 'verifying', bytesPerSecond: 0 });
      await pause(1500);
      this.#models = [...this.#models, data.modelFor(entry)];
      this.#options.emit('models.changed', this.#models);
      return change({ state: 'done', modelId: entry.id });
    };
    change({});
    void run();
    return download;
  }

  #ask(conversationId: string, text: string, parent?: Message, siblings: string[] = []) {
    const path = this.#messages.get(conversationId) ?? [];
    const parentId = parent ? parent.parentId : (path.at(-1)?.id ?? null);
    const id = `q${this.#next++}`;
    const siblingIds = [...siblings, id];
    const question = messageOf(id, { conversationId, parentId, text, siblingIds, siblingIndex: siblingIds.length - 1 });
    const kept = parent ? path.slice(0, path.indexOf(parent)) : path;
    this.#messages.set(conversationId, [...kept, question]);
    return { question, answer: this.#answer(question, []) };
  }

  #again(method: string, messageId: string, text: string) {
    for (const [conversationId, path] of this.#messages) {
      const index = path.findIndex(({ id }) => id === messageId);
      if (index < 0) continue;
      const message = path[index];
      if (method === 'chat.edit') return this.#ask(conversationId, text, message, message.siblingIds);
      this.#messages.set(conversationId, path.slice(0, index));
      return this.#answer(path[index - 1], message.siblingIds);
    }
    throw failureOf('No such message.', '');
  }

  #answer(question: Message, siblings: string[]): Message {
    const id = `a${this.#next++}`;
    const siblingIds = [...siblings, id];
    const answer = messageOf(id, { conversationId: question.conversationId, parentId: question.id, role: 'assistant', text: '', state: 'streaming', siblingIds, siblingIndex: siblingIds.length - 1 });
    this.#messages.set(question.conversationId, [...(this.#messages.get(question.conversationId) ?? []), answer]);
    this.#stopped.delete(question.conversationId);
    void this.#write(question, answer);
    return answer;
  }

  async #write({ text: question }: Message, answer: Message): Promise<void> {
    const { conversationId, id: messageId } = answer;
    const slow = question.includes('slow') ? 8 : 1;
    const report = (phase: 'queued' | 'loading' | 'reading' | 'answering', done: number, total: number, perSecond: number) =>
      this.#options.emit('answer.progress', { conversationId, messageId, phase, done, total, perSecond, secondsLeft: perSecond > 0 && phase !== 'answering' ? (total - done) / perSecond : null, tiers: null });
    const stopped = () => this.#stopped.has(conversationId);
    const end = (change: Partial<Message>) => {
      const ended: Message = { ...answer, text, ...change };
      this.#messages.set(conversationId, (this.#messages.get(conversationId) ?? []).map((message) => (message.id === messageId ? ended : message)));
      this.#options.emit('message.changed', ended);
    };
    let text = '';
    report('queued', 0, 0, 0);
    await pause(300 * slow);
    for (let step = 0; step < 5 * slow && !stopped(); step++) {
      report('loading', (144_811_072 * step) / (5 * slow) | 0, 144_811_072, 210_000_000);
      await pause(100);
    }
    for (let step = 0; step < 12 * slow && !stopped(); step++) {
      report('reading', (6412 * step) / (12 * slow) | 0, 6412, 107);
      await pause(100);
    }
    if (question.includes('fail')) return end({ state: 'failed', failure: failureOf('The graphics processor was lost while the document was read.', 'It has been started again: try again.') });
    const whole = question.includes('long') ? data.longAnswer.repeat(12) : data.longAnswer;
    let tokens = 0;
    while (text.length < whole.length && !stopped()) {
      const piece = whole.slice(text.length, text.length + 3 + (tokens % 5));
      this.#options.emit('answer.delta', { conversationId, messageId, offset: text.length, text: piece });
      text += piece;
      tokens += 1;
      if (tokens % 5 === 0) report('answering', tokens, 512, 41.7);
      await pause(question.includes('long') ? 2 : 15);
    }
    const statistics = { modelName: 'SmolLM2 135M Instruct', promptTokens: 6412, reusedTokens: 0, keptTokens: 0, notKept: null, partlyRead: [], sparselyRead: null, policy: null, answerTokens: tokens, readingMs: 60_000, answeringMs: tokens * 24, stopReason: stopped() ? ('cancelled' as const) : ('end' as const) };
    end({ state: stopped() ? 'stopped' : 'complete', statistics });
  }
}
