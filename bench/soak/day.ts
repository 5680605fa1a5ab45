/** What a day of use has, for as many chats, documents and models as one likes; everything is deleted again. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { ContractClient } from '../../host/contract/client.ts';
import { defaultSampling, type ModelRecord } from '../../host/contract/entities.ts';
import type { EventPayload } from '../../host/contract/methods.ts';
import type { Host } from '../../host/host.ts';
import type { HttpServer } from '../../host/server/httpServer.ts';
import { connectionOver, openSession } from '../../host/testing/webSocketClient.ts';

export interface PartOfDay {
  chats: number;
  documents: number;
  /** Models loaded, one after the other; each is unloaded when its chats have been answered. */
  loads: number;
}

export interface Done {
  answers: number;
  answerTokens: number;
  /** Tokens of prompts that came out of memories. */
  keptTokens: number;
  readings: number;
  searches: number;
  windows: number;
  /** The most that was left on the GPU after unloading a model. */
  gpuBytesAfterUnload: number;
}

/** Documents longer than a kept segment (512 tokens), in models of 259 tokens and a context of 1024. */
const sentencesOfADocument = 18;
const shortAnswerTokens = 8;
const longAnswerTokens = 64;

export class Day {
  readonly done: Done = { answers: 0, answerTokens: 0, keptTokens: 0, readings: 0, searches: 0, windows: 0, gpuBytesAfterUnload: 0 };
  readonly #host: Host;
  readonly #server: HttpServer;
  readonly #models: readonly ModelRecord[];
  readonly #folder: string;
  readonly #ended = new Set<string>();
  #count = 0;
  #loads = 0;

  /** `folder`: for the files that a person brings. */
  constructor(host: Host, server: HttpServer, models: readonly ModelRecord[], folder: string) {
    this.#host = host;
    this.#server = server;
    this.#models = models;
    this.#folder = folder;
    host.events.subscribe((name, payload) => {
      if (name !== 'message.changed') return;
      const { id, role, state, failure, statistics } = payload as EventPayload<'message.changed'>;
      if (role !== 'assistant' || state === 'streaming') return;
      if (state !== 'complete') throw new Error(`an answer ended as ${state}: ${failure?.message ?? ''}`);
      this.#ended.add(id);
      this.done.answers += 1;
      this.done.answerTokens += statistics?.answerTokens ?? 0;
      this.done.keptTokens += statistics?.keptTokens ?? 0;
    });
  }

  async use({ chats, documents, loads }: PartOfDay): Promise<void> {
    const { handlers } = this.#host;
    const added: string[] = [];
    for (let i = 0; i < documents; i += 1) added.push(await this.#addDocument());
    const made: string[] = [];
    for (let load = 0; load < loads; load += 1) {
      // Another model than the one before.
      const model = this.#models[this.#loads++ % this.#models.length];
      if (load === 0) for (const documentId of added) await this.#read(documentId, model.id);
      for (let i = 0; i < Math.ceil(chats / loads); i += 1) made.push(await this.#chat(model.id, i % 4 === 0 ? added.at(i % documents) : undefined));
      await this.#openWindow(made);
      await this.#unload();
    }
    for (const conversationId of made) await handlers['conversations.remove']({ conversationId });
    const [first] = await handlers['memories.list']({});
    if (first) await handlers['memories.remove']({ memoryId: first.id });
    for (const documentId of added) await handlers['documents.remove']({ documentId });
    const left = [(await handlers['memories.list']({})).length, (await handlers['documents.list']({})).length, (await handlers['readings.list']({})).length];
    if (left.some((count) => count > 0)) throw new Error(`left after deleting everything: memories, documents, readings ${left.join(', ')}`);
  }

  async #addDocument(): Promise<string> {
    const { handlers, files } = this.#host;
    const number = (this.#count += 1);
    const text = `Note ${number} of the lighthouse says marker${number}. `.repeat(sentencesOfADocument);
    if (number % 4 > 0) return (await handlers['documents.addText']({ name: `note ${number}.txt`, text })).id;
    const path = join(this.#folder, `page ${number}.html`);
    writeFileSync(path, `<!doctype html><title>Page ${number}</title><h1>Page ${number}</h1><p>${text}</p>`);
    return (await handlers['documents.add']({ fileId: await files.registerPath(path) })).id;
  }

  async #read(documentId: string, modelId: string): Promise<void> {
    const { handlers } = this.#host;
    const { id } = await handlers['readings.start']({ documentId, modelId });
    for (;;) {
      const reading = (await handlers['readings.list']({})).find((one) => one.id === id);
      if (reading?.state === 'done') break;
      if (!reading || reading.failure) throw new Error(`a reading ended: ${reading?.failure?.message ?? 'it is gone'}`);
      await pause(5);
    }
    this.done.readings += 1;
  }

  async #chat(modelId: string, documentId: string | undefined): Promise<string> {
    const { handlers } = this.#host;
    const number = (this.#count += 1);
    const { id: conversationId } = await handlers['conversations.create']({ modelId, documentIds: documentId === undefined ? [] : [documentId] });
    const maxTokens = number % 10 === 0 ? longAnswerTokens : shortAnswerTokens;
    await handlers['conversations.update']({ conversationId, sampling: { ...defaultSampling, maxTokens } });
    const { answer } = await handlers['chat.send']({ conversationId, text: `Question ${number}?` });
    while (!this.#ended.delete(answer.id)) await pause(2);
    return conversationId;
  }

  /** A tab of a browser: it connects, shows some chats, searches and is closed. */
  async #openWindow(conversations: readonly string[]): Promise<void> {
    const { port } = this.#server;
    const cookie = await openSession(this.#server.openUrl());
    const socket = new WebSocket(`ws://127.0.0.1:${port}/contract`, { headers: { cookie, origin: `http://127.0.0.1:${port}` } });
    await once(socket, 'open');
    const client = new ContractClient(connectionOver(socket));
    await client.call('app.status', {});
    await client.call('conversations.list', { folderId: null, before: null, limit: 50 });
    for (const conversationId of conversations.slice(-10)) await client.call('conversations.messages', { conversationId });
    for (const query of ['lighthouse', `marker${this.#count}`, 'question']) {
      await client.call('search.query', { query, limit: 20 });
      this.done.searches += 1;
    }
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    this.done.windows += 1;
  }

  async #unload(): Promise<void> {
    const { supervisor } = this.#host;
    await supervisor.run({ kind: 'unload' }, z.unknown());
    const { totalBytes } = supervisor.status.memory ?? { totalBytes: Number.NaN };
    this.done.gpuBytesAfterUnload = Math.max(this.done.gpuBytesAfterUnload, totalBytes);
  }
}
