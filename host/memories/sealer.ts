/** Makes segments durable: room for them first, then their files, then their place in the tree. */
import { systemErrorCode } from '../errors.ts';
import { blockBytes } from './blocks.ts';
import { diskFull, MemoryDamagedError, memoryNotFound } from './failures.ts';
import type { Holdings, Owner } from './holdings.ts';
import type { Room } from './room.ts';
import type { SegmentAccess } from './segmentAccess.ts';
import { encodeTokens, keyOf, type Part, tokensPart } from './segmentFormat.ts';
import type { SegmentDescription, SegmentFolder } from './segmentFolder.ts';
import type { Segment, SegmentTree } from './segmentTree.ts';

export interface SealerParts {
  tree: SegmentTree;
  segments: SegmentFolder;
  access: SegmentAccess;
  holdings: Holdings;
  room: Room;
  /** Runs changes one after another. */
  change<T>(work: () => Promise<T>): Promise<T>;
}

export class Sealer {
  readonly #parts: SealerParts;

  constructor(parts: SealerParts) {
    this.#parts = parts;
  }

  /** See `MemoryStore.seal`. */
  async seal(parent: string | null, fingerprint: string, tokens: Uint32Array, parts: readonly Part[], owner?: Owner): Promise<string> {
    if (tokens.length === 0) throw new RangeError('a segment without tokens');
    if (new Set([tokensPart, ...parts.map(({ name }) => name)]).size <= parts.length) throw new RangeError('two parts of one name');
    const { access, holdings, change } = this.#parts;
    const key = keyOf(parent, fingerprint, tokens);
    const stored = await change(async () => {
      if (!this.#hasParts(key, parts)) return false;
      if (owner) await holdings.hold(key, owner);
      return true;
    });
    if (stored) return key;
    const before = parent === null ? null : access.manifest(parent);
    const position = before ? before.position + before.tokenCount : 0;
    const all = [{ name: tokensPart, bytes: encodeTokens(tokens) }, ...parts, ...(await this.#otherParts(key, parts))];
    await this.#write({ key, parent, fingerprint, position, tokenCount: tokens.length, createdAtMs: Date.now() }, all, owner);
    return key;
  }

  /** See `MemoryStore.thin`. */
  async thin(key: string, drops: (part: string) => boolean): Promise<void> {
    const { access, room, tree, segments, change } = this.#parts;
    const manifest = access.intact(key);
    const left = manifest?.parts.map(([name]) => name).filter((name) => !drops(name));
    if (!manifest || !left || left.length === manifest.parts.length) return;
    const parts = await access.use(key, (reader) => Promise.all(left.map(async (name) => ({ name, bytes: await reader.readPart(name) }))));
    const { format: _format, parts: _parts, tableChecksum: _tableChecksum, ...description } = manifest;
    await room.reserve(sizeOnDisk(parts), tree.totalBytes, async () => {
      const incoming = await segments.write(description, parts);
      await change(async () => {
        const replaced = tree.get(key);
        // It was deleted, damaged or given more parts meanwhile.
        if (!replaced || access.intact(key) !== manifest) return segments.abandon(incoming);
        await this.#replace(await segments.enter(incoming, replaced), replaced);
      });
    });
  }

  /** The files are written while other changes go on; only the entry waits for its turn. */
  async #write(description: SegmentDescription, parts: readonly Part[], owner: Owner | undefined): Promise<void> {
    const { tree, segments, room, change } = this.#parts;
    const neededBytes = sizeOnDisk(parts);
    const write = async () => {
      const incoming = await segments.write(description, parts);
      await change(() => this.#enter(incoming, parts, owner));
    };
    await namingFullDisk(room.reserve(neededBytes, tree.totalBytes, write), neededBytes, () => room.freeBytes(tree.totalBytes));
  }

  async #enter(incoming: Awaited<ReturnType<SegmentFolder['write']>>, parts: readonly Part[], owner: Owner | undefined): Promise<void> {
    const { tree, segments, holdings } = this.#parts;
    const { key, parent } = incoming.manifest;
    if (this.#hasParts(key, parts)) {
      // Another seal was quicker.
      await segments.abandon(incoming);
    } else if (parent !== null && !tree.get(parent)) {
      await segments.abandon(incoming);
      throw memoryNotFound(parent);
    } else {
      const replaced = tree.get(key);
      await this.#replace(await segments.enter(incoming, replaced), replaced);
    }
    if (owner) await holdings.hold(key, owner);
  }

  async #replace(entered: Segment, replaced: Segment | undefined): Promise<void> {
    const { tree, segments, access } = this.#parts;
    tree.set(entered);
    access.damage.delete(entered.key);
    if (!replaced) return;
    await access.close(replaced);
    await segments.discard([replaced]);
  }

  #hasParts(key: string, parts: readonly Part[]): boolean {
    const manifest = this.#parts.access.intact(key);
    const stored = new Set(manifest?.parts.map(([name]) => name));
    return manifest !== undefined && parts.every(({ name }) => stored.has(name));
  }

  /** What a stored segment has besides `parts`; nothing when it is damaged. */
  async #otherParts(key: string, parts: readonly Part[]): Promise<Part[]> {
    const { access } = this.#parts;
    const given = new Set([tokensPart, ...parts.map(({ name }) => name)]);
    const missing = (access.intact(key)?.parts ?? []).map(([name]) => name).filter((name) => !given.has(name));
    if (missing.length === 0) return [];
    return access
      .use(key, (reader) => Promise.all(missing.map(async (name) => ({ name, bytes: await reader.readPart(name) }))))
      .catch((error: unknown) => {
        if (error instanceof MemoryDamagedError) return [];
        throw error;
      });
  }
}

function sizeOnDisk(parts: readonly Part[]): number {
  return parts.reduce((total, { bytes }) => total + Math.ceil(bytes.length / blockBytes) * (blockBytes + 4), blockBytes);
}

/** @throws `disk-full` where the system's error says so. */
export async function namingFullDisk<T>(work: Promise<T>, neededBytes: number, freeBytes: () => Promise<number>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    throw diskFull(neededBytes, await freeBytes(), error);
  }
}
