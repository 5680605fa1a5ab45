/** Somebody who uses everything at once: takes documents in, lets them be read, asks, deletes, downloads. */
import { setTimeout as pause } from 'node:timers/promises';
import { type ContractClient, ContractError } from '../../contract/client.ts';
import { defaultSampling } from '../../contract/entities.ts';
import { isHostGone, type Window } from './life.ts';
import type { Ledger } from './ledger.ts';

export type Activity = 'answering' | 'reading' | 'downloading' | 'deleting';

/** A file at a hub. */
export interface HubFile {
  repository: string;
  revision: string;
  path: string;
  sha256: string;
}

export interface Work {
  /** Asked; stays. */
  modelId: string;
  /** Fetched, checked, deleted, and fetched again. */
  hubFile: HubFile;
  /** In each document. */
  words: number;
}

/** Older documents and chats are deleted. */
const mostKept = 30;
const downloadUnderWay = new Set(['starting', 'downloading', 'waiting', 'verifying']);

export class Person {
  readonly #window: Window;
  readonly #client: ContractClient;
  readonly #work: Work;
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #asksLittle: boolean;
  readonly #answering = new Set<string>();
  readonly #reading = new Set<string>();
  #downloading = false;
  #deleting = false;
  #onDownload: (state: string) => void = () => undefined;
  /** Things that were acknowledged. */
  heard = 0;
  /** What went wrong, but for the end of the connection. */
  readonly problems: string[] = [];

  constructor(window: Window, work: Work, ledger: Ledger, name: string, asksLittle: boolean) {
    const { client } = window;
    this.#window = window;
    this.#client = client;
    this.#work = work;
    this.#ledger = ledger;
    this.#name = name;
    this.#asksLittle = asksLittle;
    client.on('message.changed', ({ id, role, state }) => {
      if (role === 'assistant' && state === 'streaming') this.#answering.add(id);
      else this.#answering.delete(id);
    });
    client.on('readings.changed', ({ id, state }) => {
      if (state === 'reading') this.#reading.add(id);
      else this.#reading.delete(id);
    });
    client.on('downloads.changed', ({ state, failure }) => {
      this.#downloading = downloadUnderWay.has(state);
      if (failure) this.problems.push(`a download failed: ${failure.message}`);
      this.#onDownload(state);
    });
  }

  get underWay(): Activity[] {
    const now: Record<Activity, boolean> = { answering: this.#answering.size > 0, reading: this.#reading.size > 0, downloading: this.#downloading, deleting: this.#deleting };
    return (Object.keys(now) as Activity[]).filter((activity) => now[activity]);
  }

  /** Resolves when the connection has ended; what is under way then was never acknowledged. */
  async use(): Promise<void> {
    await Promise.race([this.#window.closed, Promise.all([this.#untilGone(() => this.#talk()), this.#untilGone(() => this.#fetch())])]);
  }

  async #untilGone(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isHostGone(error)) this.problems.push(error instanceof ContractError ? `${error.failure.code}: ${error.message}` : String(error));
    }
  }

  async #talk(): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      const name = `note-${this.#name}-${turn}.txt`;
      const text = `${Array.from({ length: this.#work.words }, (_, index) => `word${index}`).join(' ')} ${name}`;
      const { modelId } = this.#work;
      const { id: documentId } = await this.#client.call('documents.addText', { name, text });
      this.#ledger.keepDocument(documentId, { name, text });
      this.heard += 1;
      await this.#client.call('readings.start', { documentId, modelId });
      // Answers go before readings: in every other life hardly anything is asked.
      if (this.#asksLittle && turn % 4 > 0) {
        await this.#deleteOldest();
        continue;
      }
      const sampling = { ...defaultSampling, maxTokens: 64 };
      const { id: conversationId } = await this.#client.call('conversations.create', { modelId, sampling, documentIds: turn % 2 === 0 ? [documentId] : [] });
      this.#ledger.keepConversation(conversationId);
      const question = `count ${50 + turn}`;
      const sent = await this.#client.call('chat.send', { conversationId, text: question });
      this.#ledger.keepQuestion(conversationId, sent.question.id, question);
      this.heard += 1;
      if (turn % 3 === 2) {
        const title = `Life ${this.#name}, turn ${turn}`;
        await this.#client.call('conversations.update', { conversationId, title });
        this.#ledger.keepTitle(conversationId, title);
      }
      await this.#deleteOldest();
    }
  }

  async #deleteOldest(): Promise<void> {
    const { documents, conversations, leaving } = this.#ledger;
    this.#deleting = true;
    for (const documentId of [...documents.keys()].slice(0, -mostKept)) {
      leaving.add(documentId);
      await insist(() => this.#client.call('documents.remove', { documentId }));
      this.#ledger.noteGone(documentId);
    }
    for (const conversationId of [...conversations.keys()].slice(0, -mostKept)) {
      leaving.add(conversationId);
      await insist(() => this.#client.call('conversations.remove', { conversationId }));
      this.#ledger.noteGone(conversationId);
    }
    this.#deleting = false;
  }

  async #fetch(): Promise<void> {
    const { sha256, ...choice } = this.#work.hubFile;
    for (;;) {
      const model = (await this.#client.call('models.list', {})).find((one) => one.sha256 === sha256);
      if (model) {
        const { ok } = await this.#client.call('models.verify', { modelId: model.id });
        if (!ok) this.problems.push(`${model.name} is listed and not what the hub stated`);
        this.#ledger.downloadSha256 = null;
        await this.#client.call('models.remove', { modelId: model.id });
        this.#ledger.counts.downloads += 1;
      }
      const ended = new Promise<void>((resolve) => {
        this.#onDownload = (state) => {
          if (!downloadUnderWay.has(state)) resolve();
        };
      });
      await this.#client.call('hub.download', choice);
      this.#ledger.downloadSha256 = sha256;
      this.heard += 1;
      await ended;
    }
  }
}

const again = new Set(['worker-died', 'data-folder-in-use']);

/** Deleting needs the memories, which the worker has: when that dies, a person is told so and tries again. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ContractError) || !again.has(error.failure.code) || attempt === 20) throw error;
      await pause(200);
    }
  }
}
