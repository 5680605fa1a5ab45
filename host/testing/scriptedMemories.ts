/**
 * What the scripted worker keeps of what it reads: a real store, open from its first use to the process's end. A word
 * of a document is a token; every ten are a segment, which takes `SCRIPTED_CHUNK_MS`. A document that says “die!” kills
 * the worker when it comes to that word.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { cancelled } from '../errors.ts';
import type { ChatPrompt, Keeping, MemoryCall, ReadResult } from '../gpu-worker/protocol.ts';
import { MemoryStore } from '../memories/memoryStore.ts';
import { ownerName } from '../memories/owners.ts';
import { fingerprint, partsFor } from './memoryParts.ts';

const segmentTokens = 10;
const chunkMs = Number(process.env['SCRIPTED_CHUNK_MS'] ?? 5);

interface ReadHooks {
  isCancelled(): boolean;
  onProgress(done: number, total: number): void;
}

export class ScriptedMemories {
  #opened: Promise<MemoryStore> | undefined;

  async read(document: ChatPrompt['documents'][number], { folder, modelName }: Keeping, { isCancelled, onProgress }: ReadHooks): Promise<ReadResult> {
    const store = await this.#store(folder);
    const words = (await readFile(document.textPath, 'utf8')).split(/\s+/).filter(Boolean);
    const tokens = Uint32Array.from(words, tokenOf);
    const reading = ownerName('reading', document.id);
    const kept = store.longest(fingerprint, tokens);
    let leaf = kept.keys.at(-1) ?? null;
    let done = kept.tokens;
    onProgress(done, tokens.length);
    while (done < tokens.length) {
      await pause(chunkMs);
      if (isCancelled()) throw cancelled();
      if (words.slice(done, done + segmentTokens).includes('die!')) process.kill(process.pid, 'SIGKILL');
      const segment = tokens.subarray(done, done + segmentTokens);
      leaf = await store.seal(leaf, fingerprint, segment, partsFor(segment), { name: reading, title: document.name, modelName });
      done += segment.length;
      onProgress(done, tokens.length);
    }
    if (leaf === null) throw new Error('an empty document');
    await store.hold(leaf, { name: ownerName('document', document.id), title: document.name, modelName });
    await store.release(reading);
    return { tokens: tokens.length, keptTokens: kept.tokens, readingMs: 1, leaf, sparselyRead: null };
  }

  async call(folder: string, call: MemoryCall): Promise<unknown> {
    const store = await this.#store(folder);
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
        return store.setQuota(call.quotaBytes);
    }
  }

  #store(folder: string): Promise<MemoryStore> {
    return (this.#opened ??= MemoryStore.open({ folder, keptFreeBytes: 0 }));
  }
}

function tokenOf(word: string): number {
  return [...word].reduce((hash, character) => (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0, 7);
}
