/** SHA-256 of a file that is written in pieces and out of order: it follows the beginning that is whole. */
import { createHash } from 'node:crypto';
import type { PartHandle } from './partHandle.ts';

const blockBytes = 1 << 20;

export class PrefixHash {
  readonly #handle: PartHandle;
  readonly #hash = createHash('sha256');
  readonly #buffer = new Uint8Array(blockBytes);
  #hashedBytes = 0;
  #following: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(handle: PartHandle) {
    this.#handle = handle;
  }

  get bytes(): number {
    return this.#hashedBytes;
  }

  /** Bytes up to `end` are written and will not change. Hashing goes on in the background, reading what was just written. */
  follow(end: number): void {
    // What fails here fails again, and is heard, when the digest is asked for.
    this.#following = this.#following.then(() => this.#advance(end)).catch(() => undefined);
  }

  /** Of the first `end` bytes, to which it may have come already. Rejects when `signal` is aborted. */
  async digest(end: number, signal: AbortSignal): Promise<string> {
    await this.#following;
    await this.#advance(end, signal);
    return this.#hash.copy().digest('hex');
  }

  /** Nothing of the file is read after this has resolved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#following;
  }

  async #advance(end: number, signal?: AbortSignal): Promise<void> {
    while (this.#hashedBytes < end && !this.#stopped) {
      signal?.throwIfAborted();
      const wanted = Math.min(blockBytes, end - this.#hashedBytes);
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, wanted, this.#hashedBytes);
      if (bytesRead === 0) throw new RangeError(`the file ends after ${this.#hashedBytes} of ${end} bytes`);
      this.#hash.update(this.#buffer.subarray(0, bytesRead));
      this.#hashedBytes += bytesRead;
    }
  }
}
