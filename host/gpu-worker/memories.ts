/** The memories that this worker has open: stored paths as the engine reads them, and where it seals new segments. */
import { setTimeout as pause } from 'node:timers/promises';
import { keptSnapshotTokens } from '../../engine/kept/keeper.ts';
import { isSnapshotPart } from '../../engine/kept/parts.ts';
import { probePart } from '../../engine/kept/probe.ts';
import type { KeptSegment, SegmentSink } from '../../engine/ports.ts';
import { toFailure } from '../errors.ts';
import type { Owner } from '../memories/holdings.ts';
import { MemoryStore } from '../memories/memoryStore.ts';
import { ownerName } from '../memories/owners.ts';
import type { Keeping, MemoryCall } from './protocol.ts';

/** Another process may have the folder for the length of a call. */
const patienceMs = 3000;
const retryEveryMs = 100;

export class WorkerMemories {
  readonly #stores = new Map<string, Promise<MemoryStore>>();

  /** Opens the folder, and keeps it until `close`. @throws `data-folder-in-use`, `data-folder-unusable`. */
  store(folder: string): Promise<MemoryStore> {
    const known = this.#stores.get(folder);
    if (known) return known;
    const opening = openPatiently(folder);
    this.#stores.set(folder, opening);
    opening.catch(() => this.#stores.delete(folder));
    return opening;
  }

  async call(folder: string, call: MemoryCall): Promise<unknown> {
    const store = await this.store(folder);
    switch (call.name) {
      case 'list':
        return store.list();
      case 'remove':
        return store.remove(call.owners);
      case 'removeLeaf':
        return store.removeLeaf(call.leaf);
      case 'sweep':
        return store.sweep();
      case 'usage':
        return store.usage();
      case 'setQuota':
        await store.setQuota(call.quotaBytes);
        return {};
    }
  }

  /** The folders that are open. */
  async opened(): Promise<MemoryStore[]> {
    const opened = await Promise.allSettled(this.#stores.values());
    return opened.flatMap((store) => (store.status === 'fulfilled' ? [store.value] : []));
  }

  async close(): Promise<void> {
    const stores = [...this.#stores.values()];
    this.#stores.clear();
    for (const opening of stores) await opening.then((store) => store.close()).catch(() => undefined);
  }
}

async function openPatiently(folder: string): Promise<MemoryStore> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    try {
      return await MemoryStore.open({ folder });
    } catch (error) {
      if (toFailure(error).code !== 'data-folder-in-use' || Date.now() >= giveUpAt) throw error;
    }
    await pause(retryEveryMs);
  }
}

export interface KeptPath {
  keys: readonly string[];
  segments: readonly KeptSegment[];
  tokens: number;
}

/** The longest stored path that the prompt begins with. */
export function keptPath(store: MemoryStore, fingerprint: string, prompt: readonly number[]): KeptPath {
  const { keys, tokens } = store.longest(fingerprint, Uint32Array.from(prompt));
  return { keys, segments: keys.map((key) => keptSegment(store, key)), tokens };
}

function keptSegment(store: MemoryStore, key: string): KeptSegment {
  const { position, tokenCount, parts } = store.describe(key);
  return {
    position,
    tokenCount,
    parts,
    read: (ranges) => store.readMany(ranges.map((range) => ({ key, ...range }))),
    readInto: (ranges, targets) => store.readInto(key, ranges, targets),
    readShared: (stretches, target) => store.readShared(key, stretches, target),
  };
}

/** Where the documents of a prompt end, in their order. */
export interface DocumentEnd {
  id: string;
  name: string;
  end: number;
}


/**
 * Seals what is read, one segment after another, under the name of who needs it: a document's reading until its end,
 * then the document; what follows belongs to the conversation.
 */
export class MemorySink implements SegmentSink {
  readonly #store: MemoryStore;
  readonly #fingerprint: string;
  readonly #keeping: Keeping;
  readonly #documents: readonly DocumentEnd[];
  #leaf: string | null;
  /** The segment before, when nothing has to begin at its end. */
  #passing: string | null = null;

  constructor(store: MemoryStore, fingerprint: string, keeping: Keeping, documents: readonly DocumentEnd[], leaf: string | null) {
    this.#store = store;
    this.#fingerprint = fingerprint;
    this.#keeping = keeping;
    this.#documents = documents;
    this.#leaf = leaf;
  }

  get leaf(): string | null {
    return this.#leaf;
  }

  async seal({ position, tokens, parts }: Parameters<SegmentSink['seal']>[0]): Promise<KeptSegment> {
    const end = position + tokens.length;
    const document = this.#documents.find((one) => one.end >= end);
    this.#leaf = await this.#store.seal(this.#leaf, this.#fingerprint, tokens, parts, this.#ownerOf(end, document));
    if (document?.end === end) await this.#store.release(ownerName('reading', document.id));
    // Rings of sliding layers and states at the end of a segment are large, and of use only to who goes on from just there.
    if (this.#passing !== null) await this.#store.thin(this.#passing, isSnapshotPart);
    this.#passing = document && document.end > end && end % keptSnapshotTokens !== 0 ? this.#leaf : null;
    return keptSegment(this.#store, this.#leaf);
  }

  /** Notes what the model says after what was sealed last. */
  async addProbe(probe: Uint8Array): Promise<void> {
    const leaf = this.#leaf;
    if (leaf === null || this.#store.describe(leaf).parts.has(probePart)) return;
    const { parent } = this.#store.describe(leaf);
    await this.#store.seal(parent, this.#fingerprint, await this.#store.tokens(leaf), [{ name: probePart, bytes: probe }]);
  }

  /** Whoever needs what others have read before holds it as well. */
  async holdRead({ keys, segments }: KeptPath): Promise<void> {
    for (const [index, segment] of segments.entries()) {
      const end = segment.position + segment.tokenCount;
      const document = this.#documents.find((one) => one.end === end);
      const owner = document && this.#ownerOf(end, document);
      if (owner) await this.#store.hold(keys[index], owner);
    }
  }

  #ownerOf(end: number, document: DocumentEnd | undefined): Owner | undefined {
    const { modelName, conversation } = this.#keeping;
    if (document) return { name: ownerName(document.end === end ? 'document' : 'reading', document.id), title: document.name, modelName };
    return conversation ? { name: ownerName('conversation', conversation.id), title: conversation.title, modelName } : undefined;
  }
}
