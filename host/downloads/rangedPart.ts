/**
 * A download on its way, in ranges: a sparse file, and a journal beside it that says which bytes of it are safe on
 * disk and what the file is to become. The journal never says more than what is there: bytes are synced first, and it
 * is replaced whole, by a rename. After a kill or a power cut the download goes on from what the journal says.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type CatalogueEntry, catalogueEntry } from '../contract/entities.ts';
import { systemErrorCode } from '../errors.ts';
import { type Interval, Intervals } from './intervals.ts';
import { type OpenPart, type PartHandle, diskFull, openPartOnDisk } from './partFile.ts';

const journal = z.object({
  version: z.literal(1),
  entry: catalogueEntry,
  /** What the host of the bytes called this state of the file. */
  etag: z.string().nullable(),
  done: z.array(z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])),
});
export type Journal = z.infer<typeof journal>;

export const journalSuffix = '.journal';

/** What a download left behind; null when that cannot be known any more. */
export async function readJournal(path: string): Promise<Journal | null> {
  try {
    return journal.parse(JSON.parse(await readFile(path + journalSuffix, 'utf8')));
  } catch {
    return null;
  }
}

export class RangedPart {
  readonly path: string;
  readonly entry: CatalogueEntry;
  etag: string | null;
  readonly #handle: PartHandle;
  readonly #done: Intervals;
  /** What is there or being fetched. */
  readonly #claimed: Intervals;
  readonly #saveEveryBytes: number;
  #unsavedBytes = 0;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, entry: CatalogueEntry, handle: PartHandle, done: Intervals, etag: string | null) {
    this.path = path;
    this.entry = entry;
    this.etag = etag;
    this.#handle = handle;
    this.#done = done;
    this.#claimed = new Intervals(done.list());
    // A kill costs at most this much.
    this.#saveEveryBytes = Math.min(Math.max(entry.sizeBytes / 256, 2 ** 18), 2 ** 24);
  }

  static async open(path: string, entry: CatalogueEntry, openPart: OpenPart = openPartOnDisk): Promise<RangedPart> {
    const left = await readJournal(path);
    const handle = await openPart(path);
    const { size } = await handle.stat();
    const known = left && left.entry.sha256 === entry.sha256 && left.entry.sizeBytes === entry.sizeBytes ? left : null;
    const done = new Intervals(known?.done.map(([start, end]) => ({ start, end: Math.min(end, size, entry.sizeBytes) })) ?? []);
    const part = new RangedPart(path, entry, handle, done, known?.etag ?? null);
    if (!known) await part.save();
    return part;
  }

  get bytes(): number {
    return this.#done.total;
  }

  get isComplete(): boolean {
    return this.#done.firstGap(this.entry.sizeBytes) === null;
  }

  /** A stretch that nobody fetches yet, to be fetched by the caller; null when there is none. */
  claim(mostBytes: number): Interval | null {
    const gap = this.#claimed.firstGap(this.entry.sizeBytes, mostBytes);
    if (gap) this.#claimed.add(gap);
    return gap;
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
      const { bytesWritten } = await this.#guard(() => this.#handle.write(chunk, written, chunk.length - written, offset + written));
      this.#done.add({ start: offset + written, end: offset + written + bytesWritten });
      written += bytesWritten;
    }
    this.#unsavedBytes += chunk.length;
    if (this.#unsavedBytes >= this.#saveEveryBytes) await this.save();
  }

  /** Resolves when all that was written is safe on disk and in the journal. */
  save(): Promise<void> {
    this.#unsavedBytes = 0;
    const next = this.#saving.then(() => this.#save());
    // A failure is told to the caller; the next save tries anew.
    this.#saving = next.catch(() => undefined);
    return next;
  }

  async restart(): Promise<void> {
    await this.#saving;
    for (const intervals of [this.#done, this.#claimed]) intervals.remove({ start: 0, end: Infinity });
    this.etag = null;
    await this.#handle.truncate(0);
    await this.save();
  }

  /** Of the whole file as it is on disk. */
  async sha256(signal: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(this.path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#saving;
    await this.#handle.close();
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.path + journalSuffix, { force: true });
  }

  async #save(): Promise<void> {
    const content: Journal = { version: 1, entry: this.entry, etag: this.etag, done: this.#done.list().map(({ start, end }) => [start, end]) };
    const path = this.path + journalSuffix;
    await this.#guard(async () => {
      await this.#handle.sync();
      await writeFile(`${path}.new`, JSON.stringify(content), { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw systemErrorCode(error) === 'ENOSPC' ? diskFull(this.bytes, error) : error;
    }
  }
}
