/** How much memories may take: the person's quota, kept beside them, and what the disk has left. */
import * as z from 'zod';
import { diskFull, MemoryDamagedError, quotaFull } from './failures.ts';
import type { FileSystem } from './fileSystem.ts';
import { decodeRecord, replaceRecord } from './records.ts';

const quotaRecord = z.object({ format: z.literal(1), quotaBytes: z.number().int().nonnegative().nullable() });
const quotaFile = 'quota.json';

/** A disk that is filled to the last byte makes every program on it fail: this much is left to others. */
const keptFreeBytes = 256 * 2 ** 20;

export class Room {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #keptFreeBytes: number;
  /** Promised to segments that are being written. */
  #reservedBytes = 0;
  /** null: as much as the disk has. */
  #quotaBytes: number | null = null;
  #damaged: MemoryDamagedError | null = null;

  private constructor(files: FileSystem, folder: string, keptFreeBytes: number) {
    this.#files = files;
    this.#folder = folder;
    this.#keptFreeBytes = keptFreeBytes;
  }

  static async load(files: FileSystem, folder: string, keptBytes = keptFreeBytes): Promise<Room> {
    const room = new Room(files, folder, keptBytes);
    await room.#readQuota();
    return room;
  }

  /** A quota that cannot be read is no reason to keep a person from their memories: there is none then, and this says so. */
  get damaged(): MemoryDamagedError | null {
    return this.#damaged;
  }

  get quotaBytes(): number | null {
    return this.#quotaBytes;
  }

  async setQuota(quotaBytes: number | null): Promise<void> {
    await replaceRecord(this.#files, this.#folder, quotaFile, { format: 1, quotaBytes });
    this.#quotaBytes = quotaBytes;
    this.#damaged = null;
  }

  /** What can still be written besides what is promised, with `usedBytes` there already. */
  async freeBytes(usedBytes: number): Promise<number> {
    const disk = (await this.#files.freeBytes(this.#folder)) - this.#keptFreeBytes;
    const quota = this.#quotaBytes === null ? Infinity : this.#quotaBytes - usedBytes;
    return Math.max(0, Math.min(disk, quota) - this.#reservedBytes);
  }

  /** @throws `disk-full` or `memory-quota-full`, each with both numbers. */
  ensure(neededBytes: number, usedBytes: number): Promise<void> {
    return this.#check(neededBytes, usedBytes, this.#reservedBytes);
  }

  /** Runs `work` with the room promised to it. */
  async reserve<T>(neededBytes: number, usedBytes: number, work: () => Promise<T>): Promise<T> {
    const promisedBytes = this.#reservedBytes;
    this.#reservedBytes += neededBytes;
    try {
      await this.#check(neededBytes, usedBytes, promisedBytes);
      return await work();
    } finally {
      this.#reservedBytes -= neededBytes;
    }
  }

  async #check(neededBytes: number, usedBytes: number, promisedBytes: number): Promise<void> {
    if (this.#quotaBytes !== null) {
      const left = this.#quotaBytes - usedBytes - promisedBytes;
      if (neededBytes > left) throw quotaFull(neededBytes, left, this.#quotaBytes);
    }
    const free = (await this.#files.freeBytes(this.#folder)) - this.#keptFreeBytes - promisedBytes;
    if (neededBytes > free) throw diskFull(neededBytes, free);
  }

  async #readQuota(): Promise<void> {
    const names = await this.#files.list(this.#folder);
    if (!names.includes(quotaFile)) return;
    try {
      const bytes = await this.#files.readFile(`${this.#folder}/${quotaFile}`);
      this.#quotaBytes = decodeRecord(bytes, quotaRecord, { key: null, file: quotaFile }, 'Set the limit for memories again.').quotaBytes;
    } catch (error) {
      if (!(error instanceof MemoryDamagedError)) throw error;
      this.#damaged = error;
    }
  }
}
