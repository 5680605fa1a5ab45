/**
 * The folder of segments. A segment is written under another name and synced, and then enters by one
 * rename: it is there wholly or not at all. Names in it:
 *
 *     KEY.GENERATION               a segment; a higher generation takes the place of a lower one
 *     quarantined-KEY.GENERATION   a damaged one, kept until its key is sealed again
 *     incoming-…  leaving-…        on the way in or out, under names never used before; after a crash, to be swept
 */
import { randomUUID } from 'node:crypto';
import { MemoryDamagedError } from './failures.ts';
import type { FileSystem } from './fileSystem.ts';
import { decodeRecord, encodeRecord, writeNewFile } from './records.ts';
import { DataPieces, layOut, type Manifest, manifest as manifestSchema, type Part } from './segmentFormat.ts';
import { SegmentReader } from './segmentReader.ts';
import type { Segment } from './segmentTree.ts';

export type SegmentDescription = Omit<Manifest, 'format' | 'parts' | 'tableChecksum'>;

/** A segment that is written and synced, but does not count yet. */
export interface IncomingSegment {
  name: string;
  manifest: Manifest;
  bytes: number;
}

interface LoadedSegment {
  segment: Segment;
  damage: MemoryDamagedError | null;
}

const entryName = /^(quarantined-)?([0-9a-f]{64})\.(\d+)$/;
const loadsInFlight = 16;

export class SegmentFolder {
  readonly #files: FileSystem;
  readonly #path: string;
  /** Being written now: no leftovers of a crash. */
  readonly #incoming = new Set<string>();

  constructor(files: FileSystem, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Every segment, the best generation of each, and why a manifest cannot be read. */
  async load(): Promise<LoadedSegment[]> {
    const names = (await this.#files.list(this.#path)).filter((name) => entryName.test(name));
    const best = new Map<string, LoadedSegment>();
    let next = 0;
    const loadNext = async () => {
      while (next < names.length) {
        const loaded = await this.#load(names[next++]);
        const known = best.get(loaded.segment.key);
        if (!known || isBetter(loaded.segment, known.segment)) best.set(loaded.segment.key, loaded);
      }
    };
    await Promise.all(Array.from({ length: Math.min(loadsInFlight, names.length) }, loadNext));
    return [...best.values()];
  }

  /**
   * Writes a segment beside the others, synced, under a name that does not count yet. `enter` makes it
   * count; `abandon` removes it.
   */
  async write(description: SegmentDescription, parts: readonly Part[]): Promise<IncomingSegment> {
    const pieces = await DataPieces.of(description.key, parts);
    const manifest: Manifest = {
      format: 1,
      ...description,
      parts: parts.map(({ name, bytes }) => [name, bytes.length]),
      tableChecksum: pieces.tableChecksum,
    };
    const record = encodeRecord(manifest);
    const name = `incoming-${randomUUID()}`;
    const incoming: IncomingSegment = { name, manifest, bytes: layOut(manifest.parts).fileBytes + record.length };
    this.#incoming.add(name);
    const folder = `${this.#path}/${name}`;
    try {
      await this.#files.makeFolder(folder);
      await writeNewFile(this.#files, `${folder}/data`, pieces);
      await writeNewFile(this.#files, `${folder}/manifest`, [record]);
      await this.#files.syncFolder(folder);
      return incoming;
    } catch (error) {
      await this.abandon(incoming);
      throw error;
    }
  }

  /** Durable when it resolves. The segment that it replaces stays until it is discarded. */
  async enter(incoming: IncomingSegment, replaced: Segment | undefined): Promise<Segment> {
    const generation = replaced ? replaced.generation + 1 : 0;
    const { key } = incoming.manifest;
    const folder = `${key}.${generation}`;
    try {
      await this.#files.rename(`${this.#path}/${incoming.name}`, `${this.#path}/${folder}`);
    } catch (error) {
      await this.abandon(incoming);
      throw error;
    }
    this.#incoming.delete(incoming.name);
    await this.#files.syncFolder(this.#path);
    return { key, folder, generation, manifest: incoming.manifest, bytes: incoming.bytes, quarantined: false };
  }

  /** Never rejects: what cannot be removed now is swept later. */
  async abandon(incoming: Pick<IncomingSegment, 'name'>): Promise<void> {
    await this.#remove(incoming.name).catch(() => undefined);
    this.#incoming.delete(incoming.name);
  }

  /** Puts segments out in this order, each wholly; a crash leaves the rest. */
  async discard(segments: readonly Segment[]): Promise<void> {
    if (segments.length === 0) return;
    // What an earlier crash left behind may be of the same segment.
    const leaving = segments.map(() => `leaving-${randomUUID()}`);
    for (const [index, { folder }] of segments.entries()) await this.#files.rename(`${this.#path}/${folder}`, `${this.#path}/${leaving[index]}`);
    await this.#files.syncFolder(this.#path);
    for (const name of leaving) await this.#remove(name);
  }

  async quarantine(segment: Segment): Promise<Segment> {
    const folder = `quarantined-${segment.folder}`;
    await this.#files.rename(`${this.#path}/${segment.folder}`, `${this.#path}/${folder}`);
    await this.#files.syncFolder(this.#path);
    return { ...segment, folder, quarantined: true };
  }

  /** Removes what does not count: `current` holds the names of the folders that do. */
  async sweep(current: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#files.list(this.#path)) {
      if (!current.has(name) && !this.#incoming.has(name)) await this.#remove(name);
    }
  }

  open(segment: Segment, manifest: Manifest): Promise<SegmentReader> {
    return SegmentReader.open(this.#files, `${this.#path}/${segment.folder}`, `segments/${segment.folder}`, manifest);
  }

  /** The manifest as it is on disk now. */
  async readManifest(folder: string, key: string): Promise<{ manifest: Manifest; bytes: number }> {
    const where = { key, file: `segments/${folder}/manifest` };
    const bytes = await this.#files.readFile(`${this.#path}/${folder}/manifest`).catch((error: unknown) => {
      throw new MemoryDamagedError(where, `it cannot be read (${error instanceof Error ? error.message : String(error)})`);
    });
    const manifest = decodeRecord(bytes, manifestSchema, where);
    if (manifest.key !== key) throw new MemoryDamagedError(where, 'it is that of another segment');
    return { manifest, bytes: bytes.length };
  }

  async lastUsedAtMs({ folder }: Segment): Promise<number> {
    return (await this.#files.stat(`${this.#path}/${folder}/manifest`)).modifiedAtMs;
  }

  markUsed({ folder }: Segment, atMs: number): Promise<void> {
    return this.#files.touch(`${this.#path}/${folder}/manifest`, atMs);
  }

  async #load(folder: string): Promise<LoadedSegment> {
    const [, prefix, key, generation] = entryName.exec(folder) ?? [];
    const common = { key, folder, generation: Number(generation), quarantined: prefix !== undefined };
    try {
      const { manifest, bytes } = await this.readManifest(folder, key);
      return { segment: { ...common, manifest, bytes: layOut(manifest.parts).fileBytes + bytes }, damage: null };
    } catch (error) {
      if (!(error instanceof MemoryDamagedError)) throw error;
      const { sizeBytes } = await this.#files.stat(`${this.#path}/${folder}/data`).catch(() => ({ sizeBytes: 0 }));
      return { segment: { ...common, manifest: null, bytes: sizeBytes }, damage: error };
    }
  }

  async #remove(name: string): Promise<void> {
    const path = `${this.#path}/${name}`;
    for (const file of await this.#files.list(path)) await this.#files.removeFile(`${path}/${file}`);
    await this.#files.removeFolder(path);
  }
}

/** Of two folders of one key: one that can be read, then one that was not put aside, then the newer. */
function isBetter(segment: Segment, known: Segment): boolean {
  if ((segment.manifest === null) !== (known.manifest === null)) return known.manifest === null;
  if (segment.quarantined !== known.quarantined) return known.quarantined;
  return segment.generation > known.generation;
}
