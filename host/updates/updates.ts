/**
 * Looks for a newer version when it is asked to, never while an answer is written, and fetches its installer, whole and
 * checked, after a copy of the database was made. A person starts the installer.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Response } from 'undici';
import type { UpdateState } from '../contract/updates.ts';
import { describeNetworkError, type OutboundClient } from '../downloads/outboundClient.ts';
import { HostError } from '../errors.ts';
import { compareVersions, readRelease, refused, type Release, type UpdateFeed } from './updateFeed.ts';

export interface UpdatesOptions {
  feed: UpdateFeed | null;
  client: OutboundClient;
  /** Of this program. */
  version: string;
  /** Where installers go. */
  folder: string;
  isAnswering(): boolean;
  backUp(): void;
}

const largestFeedBytes = 100_000;
const feedTimeoutMs = 20_000;

export class Updates {
  readonly #options: UpdatesOptions;

  constructor(options: UpdatesOptions) {
    this.#options = options;
  }

  get configured(): boolean {
    return this.#options.feed !== null;
  }

  async check(): Promise<UpdateState> {
    const { feed, version } = this.#options;
    if (!feed) return { kind: 'off' };
    const release = await this.#newest(feed);
    if (release.version === version) return { kind: 'current', version };
    return { kind: 'available', version: release.version, notes: release.notes, sizeBytes: fileFor(release).sizeBytes };
  }

  async fetch(): Promise<{ version: string; path: string }> {
    const { feed, folder, backUp, version } = this.#options;
    if (!feed) throw new HostError('bad-request', 'This copy of Longleaf has no feed of updates.', 'Get a newer version from where you got this one.');
    const release = await this.#newest(feed);
    if (release.version === version) throw new HostError('bad-request', `Longleaf ${version} is the newest version.`, 'There is nothing to fetch.');
    const file = fileFor(release);
    backUp();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, file.name);
    const part = `${path}.part`;
    try {
      await this.#download(new URL(file.name, feed.url), part, file);
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    return { version: release.version, path };
  }

  /** What the publisher signed; never something older than this program, which has been replaced for a reason. */
  async #newest({ url, publicKey }: UpdateFeed): Promise<Release> {
    this.#refuseInMidAnswer();
    const response = await this.#request('look for an update', url, AbortSignal.timeout(feedTimeoutMs));
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > largestFeedBytes) throw refused('its feed is too long');
      pieces.push(piece);
    }
    const release = readRelease(Buffer.concat(pieces).toString('utf8'), publicKey);
    if (compareVersions(release.version, this.#options.version) < 0) throw refused(`version ${release.version} is older than this one, ${this.#options.version}`);
    return release;
  }

  async #download(url: URL, path: string, { sizeBytes, sha256 }: Release['files'][number]): Promise<void> {
    const response = await this.#request('fetch an update', url);
    const hash = createHash('sha256');
    const file = await open(path, 'w', 0o600);
    try {
      let bytes = 0;
      for await (const piece of response.body ?? []) {
        bytes += piece.length;
        if (bytes > sizeBytes) throw refused('its installer is longer than the publisher said');
        hash.update(piece);
        await file.writeFile(piece);
      }
      if (bytes !== sizeBytes || hash.digest('hex') !== sha256) throw refused('its installer is not the one that the publisher signed');
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #request(purpose: string, url: URL, signal?: AbortSignal): Promise<Response> {
    const response = await this.#options.client.fetch(purpose, url, { signal }).catch((error: unknown) => {
      if (error instanceof HostError) throw error;
      throw unreachable(url, describeNetworkError(error), error);
    });
    if (response.status === 200) return response;
    await response.body?.cancel();
    throw unreachable(url, `it answered ${response.status}`);
  }

  #refuseInMidAnswer(): void {
    if (!this.#options.isAnswering()) return;
    throw new HostError('answer-running', 'An answer is being written.', 'Look for updates when it is done.');
  }
}

function fileFor({ version, files }: Release): Release['files'][number] {
  const platform = `${process.platform}-${process.arch}`;
  const found = files.find((file) => file.platform === platform);
  if (found) return found;
  throw new HostError('update-refused', `There is no version ${version} for this kind of machine (${platform}).`, 'This version goes on working.');
}

function unreachable(url: URL, why: string, cause?: unknown): HostError {
  return new HostError('update-unreachable', `${url.host} could not be asked for updates: ${why}.`, 'Check the network connection and try again.', { cause });
}
