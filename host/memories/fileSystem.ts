/**
 * What memories need of a file system, and nothing more: small enough that a test can put a disk behind
 * it that loses power. Paths are joined with "/". What is not synced may be lost, the content of a file
 * as much as the name of a file in its folder.
 */
import { constants } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rmdir, stat, statfs, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SharedTarget, Stretches } from '../../engine/ports.ts';
import { systemErrorCode } from '../errors.ts';
import { InstanceLock } from '../storage/instanceLock.ts';
import { type BlockRun, blockThreads } from './blockThreads.ts';
import { RandomReads } from './randomReads.ts';
import type { BlockChecks } from './sharedReads.ts';

export interface ReadableFile {
  /** Fills `target` from `offsetBytes`; resolves to how many bytes there were, fewer only at the end. */
  read(target: Uint8Array, offsetBytes: number): Promise<number>;
  /** Whether the checksums of whole blocks are all right, read and compared beside this thread; false where that cannot be said. */
  checkBlocks?(run: BlockRun): Promise<boolean>;
  /** Short reads to shared memory beside this thread, of blocks that are checked; false where all that cannot be said to be done. */
  readShared?(stretches: Stretches, target: SharedTarget, checks: BlockChecks | null): Promise<boolean>;
  close(): Promise<void>;
}

export interface WritableFile {
  /** Writes all of `bytes` at the end. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when the content would survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  parentOf(path: string): string;
  /** Makes a folder that only its owner can enter; its parent must be there. An existing one is kept. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, in no order. */
  list(path: string): Promise<string[]>;
  stat(path: string): Promise<{ sizeBytes: number; modifiedAtMs: number }>;
  /** A whole small file. */
  readFile(path: string): Promise<Uint8Array>;
  openFile(path: string): Promise<ReadableFile>;
  /** An empty file that only its owner can read, in place of what a crash may have left there. */
  createFile(path: string): Promise<WritableFile>;
  /** Resolves when what a folder lists would survive a power cut. */
  syncFolder(path: string): Promise<void>;
  /** Replaces a file; a folder only when there is none at `to`. */
  rename(from: string, to: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** Sets the time of the last change; may be lost. */
  touch(path: string, modifiedAtMs: number): Promise<void>;
  /** Bytes that an ordinary user can still write where `path` is. */
  freeBytes(path: string): Promise<number>;
  /** Takes `path` for this process until it is released or the process ends; throws `data-folder-in-use`. */
  lock(path: string, folder: string): { release(): void };
}

/** The real one. */
export const diskFileSystem: FileSystem = {
  parentOf: dirname,
  async makeFolder(path) {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    });
  },
  list: (path) => readdir(path),
  async stat(path) {
    const { size, mtimeMs } = await stat(path);
    return { sizeBytes: size, modifiedAtMs: Math.round(mtimeMs) };
  },
  readFile: (path) => readFile(path),
  async openFile(path) {
    return new RandomReads(await open(path, 'r'), blockThreads);
  },
  async createFile(path) {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
    return { append: (bytes) => file.writeFile(bytes), sync: () => file.sync(), close: () => file.close() };
  },
  async syncFolder(path) {
    // Windows has no such call; its file systems order these changes themselves.
    if (process.platform === 'win32') return;
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  rename,
  removeFile: unlink,
  removeFolder: rmdir,
  touch: (path, modifiedAtMs) => utimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000),
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  lock: (path, folder) => InstanceLock.acquire(path, folder),
};
