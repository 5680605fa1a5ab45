/**
 * Memories: what has been read, kept on disk as a tree of segments that never change. A segment is named
 * by what it follows, its tokens and the model; owners hold leaves, and what no owner needs is freed.
 * One store owns its folder. Errors: `data-folder-in-use`, `memory-damaged`, `memory-not-found`,
 * `disk-full`, `memory-quota-full`.
 */
import type { SharedTarget, Stretches } from '../../engine/ports.ts';
import { systemErrorCode } from '../errors.ts';
import { blockBytes } from './blocks.ts';
import { folderUnusable, type MemoryDamagedError, memoryNotFound } from './failures.ts';
import { diskFileSystem, type FileSystem } from './fileSystem.ts';
import { bytesOf, Holdings, type Owner } from './holdings.ts';
import { type About, References } from './references.ts';
import { Room } from './room.ts';
import { namingFullDisk, Sealer } from './sealer.ts';
import { SegmentAccess, type SegmentRange } from './segmentAccess.ts';
import type { PartRange } from './segmentReader.ts';
import type { Part } from './segmentFormat.ts';
import { SegmentFolder } from './segmentFolder.ts';
import { type Segment, SegmentTree } from './segmentTree.ts';

export interface MemoryStoreOptions {
  /** Made when it is missing; its parent must be there. */
  folder: string;
  files?: FileSystem;
  /** Left to other programs on the disk. */
  keptFreeBytes?: number;
  /** Files of segments open at once. */
  openFiles?: number;
}

/** Whole segments, from the first of the prompt to the last. */
export interface StoredPath {
  keys: string[];
  tokens: number;
}

export interface Freed {
  bytes: number;
  segments: number;
}

/** A leaf that someone holds, with the path to it. */
export interface MemorySummary {
  leaf: string;
  fingerprint: string;
  tokens: number;
  /** Of the whole path, shared or not. */
  bytes: number;
  /** What deleting this memory would free: the part that no other one needs. */
  freedBytes: number;
  createdAtMs: number;
  lastUsedAtMs: number;
  owners: (About & { owner: string })[];
  /** A segment of the path is known to be damaged or missing. */
  damaged: boolean;
}

const scrubPauseMs = 20;

export class MemoryStore {
  readonly #tree: SegmentTree;
  readonly #segments: SegmentFolder;
  readonly #access: SegmentAccess;
  readonly #holdings: Holdings;
  readonly #room: Room;
  readonly #sealer: Sealer;
  readonly #lock: { release(): void };
  /** The end of the queue of changes: one at a time. */
  #changes: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(tree: SegmentTree, segments: SegmentFolder, access: SegmentAccess, holdings: Holdings, room: Room, lock: { release(): void }) {
    this.#tree = tree;
    this.#segments = segments;
    this.#access = access;
    this.#holdings = holdings;
    this.#room = room;
    this.#lock = lock;
    this.#sealer = new Sealer({ tree, segments, access, holdings, room, change: (work) => this.#change(work) });
  }

  /**
   * Reads every manifest; @throws `data-folder-in-use` while another store, here or elsewhere, has the
   * folder; `data-folder-unusable` when it cannot be written.
   */
  static async open(options: MemoryStoreOptions): Promise<MemoryStore> {
    try {
      return await MemoryStore.#openFolder(options);
    } catch (error) {
      const code = systemErrorCode(error);
      throw code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' ? folderUnusable(options.folder, code, error) : error;
    }
  }

  static async #openFolder({ folder, files = diskFileSystem, keptFreeBytes, openFiles = 1024 }: MemoryStoreOptions): Promise<MemoryStore> {
    await files.makeFolder(folder);
    const lock = files.lock(`${folder}/memories.lock`, folder);
    try {
      for (const name of ['segments', 'references']) await files.makeFolder(`${folder}/${name}`);
      // Synced even when they were there: whoever made them may have been killed before it could.
      await files.syncFolder(folder);
      await files.syncFolder(files.parentOf(folder));
      const segments = new SegmentFolder(files, `${folder}/segments`);
      const tree = new SegmentTree();
      const damage = new Map<string, MemoryDamagedError>();
      for (const { segment, damage: found } of await segments.load()) {
        tree.set(segment);
        if (found) damage.set(segment.key, found);
      }
      const holdings = new Holdings(tree, await References.load(files, `${folder}/references`));
      const room = await Room.load(files, folder, keptFreeBytes);
      return new MemoryStore(tree, segments, new SegmentAccess(tree, segments, damage, openFiles), holdings, room, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Waits for changes under way. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /**
   * Keeps a segment that follows `parent` (null: the first of a prompt). Durable when it resolves to its
   * key; one that is stored with all these parts already costs nothing, and one that lacks some gets them.
   * `owner` holds it from the same moment, in the place of what it held before on this path.
   */
  seal(parent: string | null, fingerprint: string, tokens: Uint32Array, parts: readonly Part[], owner?: Owner): Promise<string> {
    return this.#sealer.seal(parent, fingerprint, tokens, parts, owner);
  }

  /**
   * Gives up parts of a segment that are not worth their bytes any more; the rest stays as it is. A crash leaves the
   * segment with them or without.
   */
  thin(key: string, drops: (part: string) => boolean): Promise<void> {
    return this.#sealer.thin(key, drops);
  }

  /** The longest stored path of whole segments that `tokens` begins with; no disk is read. */
  longest(fingerprint: string, tokens: Uint32Array): StoredPath {
    const path = this.#tree.longest(fingerprint, tokens);
    return { keys: path.map(({ key }) => key), tokens: path.reduce((total, { manifest }) => total + (manifest?.tokenCount ?? 0), 0) };
  }

  /** What a segment is, and its parts with their lengths in bytes. */
  describe(key: string): { parent: string | null; position: number; tokenCount: number; parts: ReadonlyMap<string, number> } {
    const { parent, position, tokenCount, parts } = this.#access.manifest(key);
    return { parent, position, tokenCount, parts: new Map(parts) };
  }

  /** @throws `memory-damaged` rather than give a wrong byte; RangeError past the part's end. */
  async read(key: string, part: string, offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const [bytes] = await this.#access.readMany([{ key, part, offsetBytes, lengthBytes }]);
    return bytes;
  }

  /** As `read`, for many at once, neighbours in one call. Results may share buffers: copy what is kept for long. */
  readMany(ranges: readonly SegmentRange[]): Promise<Uint8Array[]> {
    return this.#access.readMany(ranges);
  }

  /** As `readMany` of one segment, into `targets`, which are as long; when it settles nothing is written to them any more. */
  readInto(key: string, ranges: readonly PartRange[], targets: readonly Uint8Array[]): Promise<void> {
    return this.#access.use(key, (reader) => reader.readInto(ranges, targets));
  }

  /** Short stretches of some parts to shared memory, by threads; as careful as `read`, and when it settles nothing is written there any more. */
  readShared(key: string, parts: readonly (Stretches & { part: string })[], target: SharedTarget): Promise<void> {
    return this.#access.use(key, (reader) => reader.readShared(parts, target));
  }

  tokens(key: string): Promise<Uint32Array> {
    return this.#access.use(key, (reader) => reader.tokens());
  }

  /** Reads all of a segment from the disk; `pause` is awaited after each MiB. @throws `memory-damaged`. */
  verify(key: string, pause?: () => Promise<void> | void): Promise<void> {
    return this.#access.verify(key, pause);
  }

  /** What opening a memory checks: every manifest, checksum table and token, and all of the last segment. */
  verifyOpen(leaf: string): Promise<void> {
    return this.#access.verifyOpen(leaf);
  }

  /**
   * Reads everything again, a MiB at a time with a pause after each, and resolves to what is damaged;
   * stops early when `signal` says so. Segments in `verified` are left out, those that are whole added.
   */
  scrub(signal?: AbortSignal, pause = () => new Promise<void>((resolve) => setTimeout(resolve, scrubPauseMs)), verified?: Set<string>): Promise<MemoryDamagedError[]> {
    return this.#access.scrub(signal, pause, verified);
  }

  /** Files known to be damaged: segments, records of owners, the quota. */
  problems(): MemoryDamagedError[] {
    const { damaged } = this.#room;
    return [...this.#access.damage.values(), ...this.#holdings.references.damaged, ...(damaged ? [damaged] : [])];
  }

  /**
   * Puts a damaged segment aside: `longest` ends before it, so that it is read again; it is kept until
   * its key is sealed anew. What follows it stays and is found again then.
   */
  quarantine(key: string): Promise<void> {
    return this.#change(async () => {
      const segment = this.#tree.get(key);
      if (!segment) throw memoryNotFound(key);
      if (segment.quarantined) return;
      await this.#access.move(segment, async () => this.#tree.set(await this.#segments.quarantine(segment)));
    });
  }

  /** `owner` needs this leaf, and through it what leads there. Durable when it resolves. */
  hold(leaf: string, owner: Owner): Promise<void> {
    return this.#change(async () => {
      this.#access.manifest(leaf);
      await this.#holdings.hold(leaf, owner);
    });
  }

  /** The owner needs this leaf, or anything, no more. What that frees stays until `sweep`. */
  release(owner: string, leaf?: string): Promise<void> {
    return this.#change(() => this.#holdings.release(owner, leaf));
  }

  /** Notes that a memory was opened; may be lost in a crash. */
  async markUsed(leaf: string, atMs = Date.now()): Promise<void> {
    const segment = this.#tree.get(leaf);
    if (!segment) throw memoryNotFound(leaf);
    await this.#segments.markUsed(segment, atMs);
  }

  /** What `remove` would free. */
  freed(owners: readonly string[]): Freed {
    return sizeOf(this.#holdings.freedBy((_, owner) => !owners.includes(owner)));
  }

  /** Releases everything these owners hold and deletes what nobody else needs. */
  remove(owners: readonly string[]): Promise<Freed> {
    return this.#change(async () => {
      const freed = this.#holdings.freedBy((_, owner) => !owners.includes(owner));
      for (const owner of owners) await this.#holdings.release(owner);
      return this.#delete(freed);
    });
  }

  /** Deletes a memory for everyone who holds exactly this leaf; what other memories need stays. */
  removeLeaf(leaf: string): Promise<Freed> {
    return this.#change(async () => {
      const freed = this.#holdings.freedBy((other) => other !== leaf);
      await this.#holdings.releaseLeaf(leaf);
      return this.#delete(freed);
    });
  }

  /** Deletes what nobody needs and what crashes left behind. */
  sweep(): Promise<Freed> {
    return this.#change(async () => {
      await this.#holdings.references.sweep();
      await this.#segments.sweep(new Set([...this.#tree.all()].map(({ folder }) => folder)));
      return this.#delete(this.#holdings.unneeded());
    });
  }

  /** Every leaf that someone holds, the most recently used first. */
  async list(): Promise<MemorySummary[]> {
    const summaries = await Promise.all(this.#holdings.heldLeaves().map((leaf) => this.#summary(leaf)));
    return summaries.sort((left, right) => right.lastUsedAtMs - left.lastUsedAtMs);
  }

  /** What is stored, what of it nobody needs, the quota (null: none), and how much more could be written. */
  async usage(): Promise<{ usedBytes: number; unneededBytes: number; quotaBytes: number | null; freeBytes: number }> {
    const usedBytes = this.#tree.totalBytes;
    const freeBytes = await this.#freeBytes();
    return { usedBytes, unneededBytes: bytesOf(this.#holdings.unneeded()), quotaBytes: this.#room.quotaBytes, freeBytes };
  }

  /** null: as much as the disk has. A quota below what is stored deletes nothing. */
  setQuota(quotaBytes: number | null): Promise<void> {
    return this.#change(() => this.#room.setQuota(quotaBytes));
  }

  /** @throws `disk-full` or `memory-quota-full` with both numbers, when this much more cannot be kept. */
  ensureRoom(bytes: number): Promise<void> {
    return this.#room.ensure(bytes, this.#tree.totalBytes);
  }

  async #delete(segments: readonly Segment[]): Promise<Freed> {
    for (const segment of segments) {
      this.#tree.delete(segment.key);
      this.#access.damage.delete(segment.key);
      await this.#access.close(segment);
    }
    await this.#segments.discard(segments);
    return sizeOf(segments);
  }

  async #summary(leaf: string): Promise<MemorySummary> {
    const path = this.#tree.path(leaf);
    const last = this.#tree.get(leaf);
    const createdAtMs = last?.manifest?.createdAtMs ?? 0;
    return {
      leaf,
      fingerprint: last?.manifest?.fingerprint ?? '',
      tokens: last?.manifest ? last.manifest.position + last.manifest.tokenCount : 0,
      bytes: path ? bytesOf(path) : (last?.bytes ?? 0),
      freedBytes: bytesOf(this.#holdings.freedBy((other) => other !== leaf)),
      createdAtMs,
      lastUsedAtMs: last ? await this.#segments.lastUsedAtMs(last).catch(() => createdAtMs) : createdAtMs,
      owners: this.#holdings.holdersOf(leaf).map(({ owner, title, modelName }) => ({ owner, title, modelName })),
      damaged: path === null || path.some(({ key }) => !this.#access.intact(key)),
    };
  }

  async #close(): Promise<void> {
    await this.#changes;
    await this.#access.closeAll();
    this.#lock.release();
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = namingFullDisk(this.#changes.then(work), blockBytes, () => this.#freeBytes());
    this.#changes = done.catch(() => undefined);
    return done;
  }

  #freeBytes(): Promise<number> {
    return this.#room.freeBytes(this.#tree.totalBytes);
  }
}

function sizeOf(segments: readonly Segment[]): Freed {
  return { bytes: bytesOf(segments), segments: segments.length };
}
