/**
 * The zip files that EPUB, Word, Excel and PowerPoint documents are, opened with suspicion: names that lead out
 * of the archive, too many entries, and entries that unpack to far more than they are, are refused before
 * anything is unpacked; what an entry holds is never more than it says (`yauzl` checks that while it unpacks).
 */
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { HostError } from '../../errors.ts';
import { formatBytes, formatCount, quoted } from '../../wording.ts';
import { damaged, hostile } from './refusals.ts';

export const zipLimits = {
  entries: 20_000,
  /** Of all entries together, unpacked. */
  totalBytes: 1_000_000_000,
  /** Of one entry that is read, unpacked. */
  entryBytes: 256_000_000,
  /** Unpacked over packed; text seldom passes 20, sheets of numbers 60. */
  ratio: 200,
  /** Archives that unpack to less are harmless whatever the ratio. */
  harmlessBytes: 20_000_000,
};

/** Flag bit 0 of an entry. */
const encryptedFlag = 1;

export class ZipArchive {
  readonly #file: ZipFile;
  readonly #name: string;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file: ZipFile, name: string, entries: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#name = name;
    this.#entries = entries;
  }

  static async open(path: string, name: string): Promise<ZipArchive> {
    let file: ZipFile | undefined;
    try {
      file = await openPromise(path, { lazyEntries: true, autoClose: false });
      return new ZipArchive(file, name, await checkedEntries(file, name));
    } catch (error) {
      file?.close();
      throw error instanceof HostError ? error : refusal(name, error);
    }
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  has(entryName: string): boolean {
    return this.#entries.has(entryName);
  }

  /** @throws `document-damaged` when there is no such entry, or it cannot be unpacked. */
  async bytes(entryName: string): Promise<Buffer> {
    const entry = this.#entries.get(entryName);
    if (!entry) throw damaged(this.#name, `it has no part “${entryName}”`);
    if (entry.uncompressedSize > zipLimits.entryBytes) {
      throw hostile(this.#name, `its part “${entryName}” unpacks to ${formatBytes(entry.uncompressedSize)}; at most ${formatBytes(zipLimits.entryBytes)} are read`);
    }
    try {
      const stream = await this.#file.openReadStreamPromise(entry);
      const pieces: Buffer[] = [];
      for await (const piece of stream) pieces.push(piece as Buffer);
      return Buffer.concat(pieces);
    } catch (error) {
      throw damaged(this.#name, `its part “${entryName}” cannot be unpacked (${messageOf(error)})`);
    }
  }

  /** An entry as text: UTF-8 unless a byte order mark says UTF-16. */
  async text(entryName: string): Promise<string> {
    const bytes = await this.bytes(entryName);
    const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
    return new TextDecoder(encoding).decode(bytes);
  }

  /** Unpacks everything within the limits, so that another unpacker may be let at it. */
  async check(): Promise<void> {
    for (const [entryName, entry] of this.#entries) if (entry.uncompressedSize > 0) await this.bytes(entryName);
  }

  close(): void {
    this.#file.close();
  }
}

async function checkedEntries(file: ZipFile, name: string): Promise<Map<string, Entry>> {
  if (file.entryCount > zipLimits.entries) {
    throw hostile(name, `it says that it has ${formatCount(file.entryCount)} parts; at most ${formatCount(zipLimits.entries)} are read`);
  }
  const entries = new Map<string, Entry>();
  let packedBytes = 0;
  let totalBytes = 0;
  for await (const entry of file.eachEntry()) {
    if ((entry.generalPurposeBitFlag & encryptedFlag) !== 0) {
      throw new HostError('document-encrypted', `${quoted(name)} is protected with a password.`, 'Open it in its own program, save it without a password, and add that file.');
    }
    packedBytes += entry.compressedSize;
    totalBytes += entry.uncompressedSize;
    if (totalBytes > zipLimits.totalBytes) {
      throw hostile(name, `it unpacks to more than ${formatBytes(zipLimits.totalBytes)} (it is a “zip bomb”, or far too large)`);
    }
    entries.set(entry.fileName, entry);
  }
  if (totalBytes > zipLimits.harmlessBytes && totalBytes > zipLimits.ratio * packedBytes) {
    throw hostile(name, `it unpacks to ${formatCount(Math.floor(totalBytes / packedBytes))} times its size (a “zip bomb”); at most ${zipLimits.ratio} times is read`);
  }
  return entries;
}

/** `yauzl` refuses names that lead out of the archive by these words. */
const leadsOut = /^(invalid relative path|absolute path|invalid characters in fileName): (.*)$/s;

function refusal(name: string, error: unknown): HostError {
  const message = messageOf(error);
  const path = leadsOut.exec(message)?.[2];
  if (path !== undefined) return hostile(name, `it has a part named “${path}”, which leads out of the file`);
  return damaged(name, message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
