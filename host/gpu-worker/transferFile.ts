/**
 * Copies that the calling thread does not make, from or to memory that no other thread of the program may have: the
 * system's threads write them to a small file that lies in memory, and read it from there. That is twice the copying, but
 * by several threads at once, while the calling one does something else. On a server with an H200 one thread fills mapped
 * memory at 4.5 GB/s, four reads at once at 15 to 19 (bench/mappedWrites.ts).
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

export class TransferFile implements LongCopies {
  readonly fewestBytes = 2 ** 18;
  readonly #file: number;
  readonly #idle = Array.from({ length: slotCount }, (_, slot) => slot);
  readonly #waiting: ((slot: number) => void)[] = [];
  #closing: Promise<void> | null = null;
  #whenIdle: (() => void) | null = null;

  /** A file in `folder` that nobody else sees. Throws what opening it throws. */
  constructor(folder: string) {
    const own = mkdtempSync(join(folder, 'longleaf-'));
    try {
      this.#file = openSync(join(own, 'transfer'), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    } finally {
      // It goes with the process, however that ends.
      rmSync(own, { recursive: true, force: true });
    }
  }

  /** null where no file lies in memory, or where one thread does it as well. */
  static forThisMachine(): TransferFile | null {
    if (process.platform !== 'linux' || availableParallelism() <= 2) return null;
    try {
      const { bavail, bsize } = statfsSync(memoryFolder);
      return bavail * bsize >= 2 * slotCount * slotBytes ? new TransferFile(memoryFolder) : null;
    } catch {
      return null;
    }
  }

  async copy(copy: LongCopy): Promise<void> {
    const wholeBytes = copy.from.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (wholeBytes !== copy.to.byteLength) throw new RangeError(`${wholeBytes} bytes cannot be copied to ${copy.to.byteLength}`);
    await Promise.all(piecesOf(copy).map((piece) => this.#transfer(piece)));
  }

  /** When what is under way has ended: another file could get the descriptor. What is asked for later, this thread copies. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#idle.length < slotCount) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    closeSync(this.#file);
  }

  async #transfer(piece: LongCopy): Promise<void> {
    const slot = this.#closing ? null : (this.#idle.pop() ?? (await new Promise<number>((resolve) => void this.#waiting.push(resolve))));
    if (slot === null) return copyHere(piece);
    const sizeBytes = piece.to.byteLength;
    const wrote = (await bytesDone((done) => writev(this.#file, piece.from, slot * slotBytes, done))) === sizeBytes;
    const isThere = wrote && (await bytesDone((done) => read(this.#file, piece.to, 0, sizeBytes, slot * slotBytes, done))) === sizeBytes;
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
