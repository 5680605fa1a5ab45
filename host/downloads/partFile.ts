/**
 * A download on its way: bytes are appended and hashed as they come. What is there from an earlier try
 * is hashed first, so that a download goes on where it stopped.
 */
import { type Hash, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { HostError, systemErrorCode } from '../errors.ts';
import { formatBytes } from '../wording.ts';

/** The part of a `FileHandle` that is used; tests put a full disk behind it. */
export interface PartHandle {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
  stat(): Promise<{ size: number }>;
}
export type OpenPart = (path: string) => Promise<PartHandle>;

export const openPartOnDisk: OpenPart = (path) => open(path, 'a+', 0o600).then(async (file) => {
  // Append mode would ignore positions; it only made the file.
  await file.close();
  return open(path, 'r+');
});

export class PartFile {
  readonly path: string;
  readonly #handle: PartHandle;
  #hash: Hash;
  #bytes: number;

  private constructor(path: string, handle: PartHandle, hash: Hash, bytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#hash = hash;
    this.#bytes = bytes;
  }

  static async open(path: string, openPart: OpenPart = openPartOnDisk): Promise<PartFile> {
    const handle = await openPart(path);
    try {
      const { size } = await handle.stat();
      const hash = createHash('sha256');
      if (size > 0) {
        for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
      }
      return new PartFile(path, handle, hash, size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < chunk.length) {
        const { bytesWritten } = await this.#handle.write(chunk, written, chunk.length - written, this.#bytes + written);
        written += bytesWritten;
      }
    } catch (error) {
      // Only whole chunks count as done.
      await this.#handle.truncate(this.#bytes).catch(() => undefined);
      throw systemErrorCode(error) === 'ENOSPC' ? diskFull(this.#bytes, error) : error;
    }
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async sync(): Promise<void> {
    try {
      await this.#handle.sync();
    } catch (error) {
      throw systemErrorCode(error) === 'ENOSPC' ? diskFull(this.#bytes, error) : error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  remove(): Promise<void> {
    return rm(this.path, { force: true });
  }
}

export function diskFull(keptBytes: number, cause?: unknown): HostError {
  return new HostError(
    'disk-full',
    `The disk became full while downloading; ${formatBytes(keptBytes)} are kept.`,
    'Free some space and start the download again: it goes on where it stopped.',
    { cause },
  );
}
