/**
 * The memories as the interface sees them: named after documents and chats, listed, deleted, limited.
 * The store belongs to whoever reads and answers: while the GPU worker runs, it is asked; else the folder is opened
 * here for the length of one call.
 */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { readingNamedIn, readingWithin } from '../../engine/layers/sparseReading/sparseReading.ts';
import type { MemoryRecord, MemoryUsage } from '../contract/entities.ts';
import type { SparseReadingSetting } from '../contract/policy.ts';
import { toFailure } from '../errors.ts';
import type { Keeping } from '../gpu-worker/protocol.ts';
import { memoryNotFound } from './failures.ts';
import { type Freed, MemoryStore, type MemorySummary } from './memoryStore.ts';
import { parseOwner } from './owners.ts';

/** The part of a store that is needed; plain data, so that another process can answer for it. */
export type MemoryAdministration = Pick<MemoryStore, 'list' | 'remove' | 'removeLeaf' | 'sweep' | 'usage' | 'setQuota' | 'close'>;

export interface MemoryNames {
  /** undefined when there is none of this id any more. */
  document(id: string): string | undefined;
  conversation(id: string): string | undefined;
}

interface MemoryShelfOptions {
  folder: string;
  names: MemoryNames;
  /** The store of someone who has it open; null: nobody has. Asked at each call. */
  inUse?: () => MemoryAdministration | null;
  /** How long to wait for another process that has the memories, such as a command. */
  patienceMs?: number;
}

const retryEveryMs = 100;

export class MemoryShelf {
  readonly #folder: string;
  readonly #names: MemoryNames;
  readonly #inUse: () => MemoryAdministration | null;
  readonly #patienceMs: number;
  /** The end of the queue of calls. */
  #calls: Promise<unknown> = Promise.resolve();

  constructor({ folder, names, inUse = () => null, patienceMs = 600 }: MemoryShelfOptions) {
    this.#folder = folder;
    this.#names = names;
    this.#inUse = inUse;
    this.#patienceMs = patienceMs;
  }

  /** The most recently used first. */
  list(): Promise<MemoryRecord[]> {
    return this.#use(async (store) => (await store.list()).map((summary) => this.#record(summary)));
  }

  /** Deletes a memory; what others need of it stays. */
  remove(memoryId: string): Promise<Freed> {
    return this.#use(async (store) => {
      const known = await store.list();
      if (!known.some(({ leaf }) => leaf === memoryId)) throw memoryNotFound(memoryId);
      const freed = await store.removeLeaf(memoryId);
      const swept = await store.sweep();
      return { bytes: freed.bytes + swept.bytes, segments: freed.segments + swept.segments };
    });
  }

  /** What a removed document or chat held goes with it. */
  async forget(owners: readonly string[]): Promise<void> {
    // Most who never let a document be read have no memories at all.
    if (existsSync(this.#folder)) await this.#use((store) => store.remove(owners));
  }

  /** Sets the limit, if one is given (null: none), and says how much there is. */
  quota(quotaBytes?: number | null): Promise<MemoryUsage> {
    return this.#use(async (store) => {
      if (quotaBytes !== undefined) await store.setQuota(quotaBytes);
      const usage = await store.usage();
      return { usedBytes: usage.usedBytes, quotaBytes: usage.quotaBytes, freeBytes: usage.freeBytes };
    });
  }

  /** What the worker needs to know to keep what it reads, once no call here has the folder open any more. */
  async keeping(modelName: string, conversation: Keeping['conversation']): Promise<Keeping> {
    await this.#calls;
    return { folder: this.#folder, modelName, conversation };
  }

  /** Waits for calls under way. */
  async close(): Promise<void> {
    await this.#calls;
  }

  #use<T>(work: (store: MemoryAdministration) => Promise<T>): Promise<T> {
    const done = this.#calls.then(async () => {
      const store = await this.#openPatiently();
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    });
    this.#calls = done.catch(() => undefined);
    return done;
  }

  async #openPatiently(): Promise<MemoryAdministration> {
    const giveUpAt = Date.now() + this.#patienceMs;
    for (;;) {
      try {
        return this.#inUse() ?? (await MemoryStore.open({ folder: this.#folder }));
      } catch (error) {
        if (toFailure(error).code !== 'data-folder-in-use' || Date.now() >= giveUpAt) throw error;
      }
      await pause(retryEveryMs);
    }
  }

  #record({ leaf, fingerprint, tokens, bytes, freedBytes, createdAtMs, lastUsedAtMs, owners, damaged }: MemorySummary): MemoryRecord {
    const users = owners.flatMap(({ owner, title }) => {
      const parsed = parseOwner(owner);
      if (!parsed) return [];
      const { kind, id } = parsed;
      const name = kind === 'conversation' ? this.#names.conversation(id) : this.#names.document(id);
      return [{ kind, id, name: name ?? title }];
    });
    const reading = users.some(({ kind }) => kind === 'reading');
    const modelName = owners.find((owner) => owner.modelName !== null)?.modelName ?? null;
    const sparseReading = readingOf(fingerprint, tokens);
    return { id: leaf, users, modelName, tokens, sparseReading, bytes, freedBytes, createdAtMs, lastUsedAtMs, state: damaged ? 'damaged' : reading ? 'reading' : 'ready' };
  }
}

/** null for what ends before anything is read sparsely. */
function readingOf(fingerprint: string, tokens: number): SparseReadingSetting | null {
  return readingWithin(readingNamedIn(fingerprint), tokens);
}
