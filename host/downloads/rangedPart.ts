/**
 * A download on its way, in ranges: a sparse file, and a journal beside it that says which bytes of it are safe on
 * disk and what the file is to become. The journal never says more than what is there: bytes are synced first. After a kill or a power cut the download goes on from what the journal says.
 */
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { type DownloadFile, type DownloadTarget, downloadTarget } from '../contract/entities.ts';
import { systemErrorCode } from '../errors.ts';
import { type Interval, Intervals } from './intervals.ts';
import { JournalFile } from './journalFile.ts';
import { type OpenPart, type PartHandle, diskFull, openPartOnDisk } from './partHandle.ts';
import { PrefixHash } from './prefixHash.ts';

const byteCount = z.number().int().nonnegative();
const journal = z.object({
  version: z.literal(1),
  target: downloadTarget,
  /** Which of the target's files this is. */
  file: z.number().int().nonnegative(),
  /** The person stopped it: it does not go on by itself. */
  paused: z.boolean(),
  /** What the host of the bytes called this state of the file. */
  etag: z.string().nullable(),
  done: z.array(z.tuple([byteCount, byteCount])),
});
export type Journal = z.infer<typeof journal>;

export const partSuffix = '.part';
export const journalSuffix = '.journal';

/** What a download left behind; null when that cannot be known any more. */
export async function readJournal(partPath: string): Promise<Journal | null> {
  const { value } = await JournalFile.open(partPath + journalSuffix);
  return journal.safeParse(value).data ?? null;
}

export async function removePart(partPath: string): Promise<void> {
  // The journal last: without it, what is left of the file would stand for nothing and could not be found.
  for (const path of [partPath, partPath + journalSuffix]) await rm(path, { force: true });
}

export class RangedPart {
  readonly path: string;
  readonly file: DownloadFile;
  etag: string | null;
  paused = false;
  readonly #target: DownloadTarget;
  readonly #handle: PartHandle;
  readonly #journal: JournalFile;
  readonly #done: Intervals;
  /** What is there or being fetched. */
  readonly #claimed: Intervals;
  readonly #saveEveryBytes: number;
  #removed = false;
  #hash: PrefixHash;
  #unsavedBytes = 0;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, target: DownloadTarget, file: DownloadFile, files: { handle: PartHandle; journal: JournalFile }, done: Intervals, etag: string | null) {
    this.path = path;
    this.file = file;
    this.etag = etag;
    this.#target = target;
    this.#handle = files.handle;
    this.#journal = files.journal;
    this.#done = done;
    this.#claimed = new Intervals(done.list());
    this.#hash = new PrefixHash(files.handle);
    // A kill costs at most this much.
    this.#saveEveryBytes = Math.min(Math.max(file.sizeBytes / 256, 2 ** 18), 2 ** 24);
    this.#followPrefix();
  }

  static async open(path: string, target: DownloadTarget, file: DownloadFile, openPart: OpenPart = openPartOnDisk): Promise<RangedPart> {
    const { journal: journalFile, value } = await JournalFile.open(path + journalSuffix);
    const left = journal.safeParse(value).data;
    const leftFile = left?.target.files[left.file];
    const known = left && leftFile?.sha256 === file.sha256 && leftFile.sizeBytes === file.sizeBytes ? left : undefined;
    // Before the file: a kill in between must not leave one that nobody knows anything of.
    if (!known || known.paused) await guarded(0, () => journalFile.replace(record(target, file, { paused: false, etag: known?.etag ?? null, done: known?.done ?? [] })));
    const handle = await openPart(path);
    const { size } = await handle.stat();
    const done = new Intervals(known?.done.map(([start, end]) => ({ start, end: Math.min(end, size, file.sizeBytes) })) ?? []);
    return new RangedPart(path, target, file, { handle, journal: journalFile }, done, known?.etag ?? null);
  }

  get bytes(): number {
    return this.#done.total;
  }

  get isComplete(): boolean {
    return this.#done.firstGap(this.file.sizeBytes) === null;
  }

  /** A stretch that nobody fetches yet, to be fetched by the caller; null when there is none. */
  claim(mostBytes: number): Interval | null {
    const gap = this.#claimed.firstGap(this.file.sizeBytes, mostBytes);
    if (gap) this.#claimed.add(gap);
    return gap;
  }

  /** Bytes that nobody fetches yet. */
  get unclaimedBytes(): number {
    return this.file.sizeBytes - this.#claimed.total;
  }

  /** What of a claimed stretch did not arrive may be claimed again. */
  release(stretch: Interval): void {
    this.#claimed.remove(stretch);
    for (const done of this.#done.list()) this.#claimed.add(done);
  }

  /** @throws `disk-full`; what is in the journal stays. */
  async write(chunk: Uint8Array, offset: number): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await guarded(this.bytes, () => this.#handle.write(chunk, written, chunk.length - written, offset + written));
      this.#done.add({ start: offset + written, end: offset + written + bytesWritten });
      written += bytesWritten;
    }
    this.#unsavedBytes += chunk.length;
    if (this.#unsavedBytes < this.#saveEveryBytes) return;
    this.#followPrefix();
    await this.save();
  }

  /** Resolves when all that was written is safe on disk and in the journal. */
  save(): Promise<void> {
    this.#unsavedBytes = 0;
    const next = this.#saving.then(() => this.#save());
    // A failure is told to the caller; the next save tries anew.
    this.#saving = next.catch(() => undefined);
    return next;
  }

  /** Forgets every byte; nobody may be writing. */
  async restart(): Promise<void> {
    await this.#saving;
    await this.#hash.stop();
    this.#hash = new PrefixHash(this.#handle);
    for (const intervals of [this.#done, this.#claimed]) intervals.remove({ start: 0, end: Infinity });
    this.etag = null;
    await this.#handle.truncate(0);
    await this.save();
  }

  /** Of the whole file as it is on disk. */
  sha256(signal: AbortSignal): Promise<string> {
    return this.#hash.digest(this.file.sizeBytes, signal);
  }

  async close(): Promise<void> {
    await this.#saving;
    await this.#hash.stop();
    await this.#handle.close();
  }

  async remove(): Promise<void> {
    this.#removed = true;
    await removePart(this.path);
  }

  /** As `save`; nothing after `remove`. */
  async saveIfThere(): Promise<void> {
    if (!this.#removed) await this.save();
  }

  #followPrefix(): void {
    const gap = this.#done.firstGap(this.file.sizeBytes);
    this.#hash.follow(gap ? gap.start : this.file.sizeBytes);
  }

  async #save(): Promise<void> {
    const done = this.#done.list().map(({ start, end }): [number, number] => [start, end]);
    const content = record(this.#target, this.file, { paused: this.paused, etag: this.etag, done });
    await guarded(this.bytes, async () => {
      await this.#handle.sync();
      await this.#journal.replace(content);
    });
  }
}

function record(target: DownloadTarget, file: DownloadFile, state: Pick<Journal, 'paused' | 'etag' | 'done'>): Journal {
  return { version: 1, target, file: target.files.findIndex(({ sha256 }) => sha256 === file.sha256), ...state };
}

/** A full disk says how much is there. */
async function guarded<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw systemErrorCode(error) === 'ENOSPC' ? diskFull(bytes, error) : error;
  }
}
