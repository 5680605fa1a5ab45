/**
 * Who needs which memories: one small file for each owner (a document, a chat, a reading), replaced as a
 * whole. What nobody refers to may be swept, so a change is durable before anything relies on it.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { MemoryDamagedError } from './failures.ts';
import type { FileSystem } from './fileSystem.ts';
import { decodeRecord, replaceRecord } from './records.ts';
import { segmentKey } from './segmentFormat.ts';

export const reference = z.object({
  format: z.literal(1),
  /** Such as `document:ID`, `conversation:ID`. */
  owner: z.string().min(1),
  leaves: z.array(segmentKey).min(1),
  /** What to call it once the document, or the model, is no longer known. */
  title: z.string().nullable(),
  modelName: z.string().nullable(),
});
export type Reference = z.infer<typeof reference>;

/** What the memories page says of a memory. */
export type About = Pick<Reference, 'title' | 'modelName'>;

const suffix = '.json';

export class References {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #byOwner = new Map<string, Reference>();
  readonly #damaged = new Map<string, MemoryDamagedError>();

  private constructor(files: FileSystem, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  static async load(files: FileSystem, folder: string): Promise<References> {
    const references = new References(files, folder);
    for (const name of await files.list(folder)) {
      if (name.endsWith(suffix)) await references.#load(name);
    }
    return references;
  }

  all(): Reference[] {
    return [...this.#byOwner.values()];
  }

  of(owner: string): Reference | undefined {
    return this.#byOwner.get(owner);
  }

  /** Files that do not say any more who needs what: while there is one, nothing may be swept. */
  get damaged(): MemoryDamagedError[] {
    return [...this.#damaged.values()];
  }

  leaves(except: ReadonlySet<string> = new Set()): string[] {
    return this.all().flatMap(({ owner, leaves }) => (except.has(owner) ? [] : leaves));
  }

  /** Durable when it resolves. Without leaves the owner is forgotten. */
  async set(owner: string, leaves: readonly string[], about: About): Promise<void> {
    const name = nameOf(owner);
    if (leaves.length === 0) {
      if (!this.#byOwner.has(owner) && !this.#damaged.has(name)) return;
      await this.#files.removeFile(`${this.#folder}/${name}`);
      this.#byOwner.delete(owner);
      this.#damaged.delete(name);
      await this.#files.syncFolder(this.#folder);
      return;
    }
    const record: Reference = { format: 1, owner, leaves: [...leaves], title: about.title, modelName: about.modelName };
    await replaceRecord(this.#files, this.#folder, name, record);
    this.#byOwner.set(owner, record);
    this.#damaged.delete(name);
  }

  /** Removes what a crash left behind. */
  async sweep(): Promise<void> {
    for (const name of await this.#files.list(this.#folder)) {
      if (!name.endsWith(suffix)) await this.#files.removeFile(`${this.#folder}/${name}`);
    }
  }

  async #load(name: string): Promise<void> {
    const where = { key: null, file: `references/${name}` };
    try {
      const record = decodeRecord(await this.#files.readFile(`${this.#folder}/${name}`), reference, where, damagedReferenceRemedy);
      if (nameOf(record.owner) !== name) throw new MemoryDamagedError(where, 'it is the file of another owner', damagedReferenceRemedy);
      this.#byOwner.set(record.owner, record);
    } catch (error) {
      if (!(error instanceof MemoryDamagedError)) throw error;
      this.#damaged.set(name, error);
    }
  }
}

const damagedReferenceRemedy =
  'Open the chats and documents you need, which writes it anew; until it is whole or deleted by hand, no unused memory is freed.';

function nameOf(owner: string): string {
  return `${createHash('sha256').update(owner).digest('hex')}${suffix}`;
}
