/**
 * Copies that the calling thread does not make, from or to memory that no other thread of the program may have: the
 * system's threads write them to small files that lie in memory, and read them from there. That is twice the copying, but
 * by several threads at once, while the calling one does something else. On a server with an H200 one thread fills mapped
 * memory at 4.5 GB/s, four reads at once at 15 to 19 (bench/mappedWrites.ts). A file for each copy under way, because
 * Linux lets one thread at a time write to a file.
 */
import { closeSync, constants, mkdtempSync, openSync, read, rmSync, statfsSync, writev } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { LongCopies, LongCopy } from '../../engine/ports.ts';

const slotBytes = 2 * 2 ** 20;
/** More than there are threads, so that none waits for this one to hear of what is done. */
const slotCount = 16;
/** Where Linux keeps files in memory. */
const memoryFolder = '/dev/shm';

export class TransferFiles implements LongCopies {
  /** Copies under way, of all instances. */
  static #underWay = 0;
  readonly fewestBytes = 2 ** 18;
  /** One a slot. */
  readonly #files: readonly number[];
  readonly #idle = Array.from({ length: slotCount }, (_, slot) => slot);
  readonly #waiting: ((slot: number) => void)[] = [];
  #closing: Promise<void> | null = null;
  #whenIdle: (() => void) | null = null;

  /** Files in `folder` that nobody else sees. Throws what opening them throws. */
  constructor(folder: string) {
    const own = mkdtempSync(join(folder, 'longleaf-'));
    const files: number[] = [];
    try {
      for (let slot = 0; slot < slotCount; slot++) files.push(openSync(join(own, String(slot)), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
    } catch (error) {
      for (const file of files) closeSync(file);
      throw error;
    } finally {
      // They go with the process, however that ends.
      rmSync(own, { recursive: true, force: true });
    }
    this.#files = files;
  }

  /** Whether a copy is under way, each of whose steps this thread has to begin. */
  static get areCopying(): boolean {
    return TransferFiles.#underWay > 0;
  }

  /** null where no file lies in memory, or where one thread does it as well. */
  static forThisMachine(): TransferFiles | null {
    if (process.platform !== 'linux' || availableParallelism() <= 2) return null;
    try {
      const { bavail, bsize } = statfsSync(memoryFolder);
      return bavail * bsize >= 2 * slotCount * slotBytes ? new TransferFiles(memoryFolder) : null;
    } catch {
      return null;
    }
  }

  async copy(copy: LongCopy): Promise<void> {
    const wholeBytes = copy.from.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (wholeBytes !== copy.to.byteLength) throw new RangeError(`${wholeBytes} bytes cannot be copied to ${copy.to.byteLength}`);
    TransferFiles.#underWay++;
    try {
      await Promise.all(piecesOf(copy).map((piece) => this.#transfer(piece)));
    } finally {
      TransferFiles.#underWay--;
    }
  }

  /** When what is under way has ended: another file could get a descriptor. What is asked for later, this thread copies. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#idle.length < slotCount) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    for (const file of this.#files) closeSync(file);
  }

  async #transfer(piece: LongCopy): Promise<void> {
    const slot = this.#closing ? null : (this.#idle.pop() ?? (await new Promise<number>((resolve) => void this.#waiting.push(resolve))));
    if (slot === null) return copyHere(piece);
    const sizeBytes = piece.to.byteLength;
    const wrote = (await bytesDone((done) => writev(this.#files[slot], piece.from, 0, done))) === sizeBytes;
    const isThere = wrote && (await bytesDone((done) => read(this.#files[slot], piece.to, 0, sizeBytes, 0, done))) === sizeBytes;
    this.#giveBack(slot);
    // Memory for files may be full.
    if (!isThere) copyHere(piece);
  }

  #giveBack(slot: number): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else if (this.#idle.push(slot) === slotCount) this.#whenIdle?.();
  }
}

/** What a call of the system has done; nothing where it failed. */
function bytesDone(call: (done: (error: Error | null, bytes: number) => void) => void): Promise<number> {
  return new Promise((resolve) => call((error, bytes) => resolve(error ? 0 : bytes)));
}

function copyHere({ from, to }: LongCopy): void {
  let at = 0;
  for (const bytes of from) {
    to.set(bytes, at);
    at += bytes.byteLength;
  }
}

/** Copies of a slot each. */
function piecesOf({ from, to }: LongCopy): LongCopy[] {
  const pieces: LongCopy[] = [];
  let piece: Uint8Array[] = [];
  let begin = 0;
  let end = 0;
  const finish = (): void => {
    if (end > begin) pieces.push({ from: piece, to: to.subarray(begin, end) });
    piece = [];
    begin = end;
  };
  for (const bytes of from) {
    for (let at = 0; at < bytes.byteLength; ) {
      const some = Math.min(bytes.byteLength - at, slotBytes - (end - begin));
      piece.push(bytes.subarray(at, at + some));
      at += some;
      end += some;
      if (end - begin === slotBytes) finish();
    }
  }
  finish();
  return pieces;
}
