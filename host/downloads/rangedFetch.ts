/**
 * Fills a part file from a hub, several ranges at a time. The first answer says how: that it is the right file, where
 * its bytes are, and whether ranges can be had. What arrived stays, whatever happens to a connection; an answer that
 * is not exactly the stretch asked for, of the same state of the file, is refused before its first byte.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Response } from 'undici';
import { HostError, cancelled } from '../errors.ts';
import type { HubClient, HubFile } from '../hub/hubClient.ts';
import { Interrupted, refusal, retriedStatuses, tryAgainLater } from '../hub/hubAnswers.ts';
import { formatBytes } from '../wording.ts';
import type { Interval } from './intervals.ts';
import { describeNetworkError } from './outboundClient.ts';
import type { FetchTask } from './source.ts';
import { Watchdog } from './watchdog.ts';

const leastPieceBytes = 2 ** 20;
const mostPieceBytes = 32 * 2 ** 20;
const longestPauseMs = 60_000;
/** Rate limits are reset every five minutes. */
const longestStatedPauseMs = 600_000;
/** Less than this in the stall timeout is as good as nothing. */
const aliveBytes = 4096;
/** What is met this often, with no good answer in between, is no accident. */
const sightingsToBelieve = 3;
/** Another state of the file, everything instead of a range, another range, another size. */
type Strangeness = 'state' | 'everything' | 'range' | 'size';
/** Statuses of signed addresses that are no longer good. */
const expiredStatuses = new Set([400, 401, 403, 404, 410]);

/** The download begins anew: without ranges, or with another state of the file. */
class StartOver extends Error {
  readonly withRanges: boolean;

  constructor(message: string, withRanges: boolean) {
    super(message);
    this.withRanges = withRanges;
  }
}
const mostStarts = 3;

export async function fetchRanges(location: HubFile, task: FetchTask, hub: HubClient): Promise<void> {
  await new RangedFetch(location, task, hub).run();
}

class RangedFetch {
  readonly #location: HubFile;
  readonly #task: FetchTask;
  readonly #hub: HubClient;
  readonly #purpose: string;
  /** Where the bytes are, as long as that address is good. */
  #direct: URL | null = null;
  #heardFrom = false;
  #noRanges = false;
  /** The hub has stated the digest of what is wanted. */
  #identified = false;
  /** Failures since the last byte; several at once are one. */
  #failures = 0;
  #bytesAtFailure: number;
  #goOnAtMs = 0;
  #starts = 1;
  /** What was strange about the answers since the last good one, and how often. */
  readonly #sightings = new Map<Strangeness, number>();

  constructor(location: HubFile, task: FetchTask, hub: HubClient) {
    this.#location = location;
    this.#task = task;
    this.#hub = hub;
    this.#purpose = `download ${task.target.name}`;
    this.#bytesAtFailure = task.part.bytes;
  }

  async run(): Promise<void> {
    const { part } = this.#task;
    while (!part.isComplete) {
      if (this.#noRanges) await this.#fetchWhole();
      else await this.#fetchParallel();
    }
  }

  async #fetchParallel(): Promise<void> {
    const inner = new AbortController();
    const signal = AbortSignal.any([this.#task.signal, inner.signal]);
    const workers = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const start = () => {
      const worker = this.#work(signal, grow)
        .catch((error: unknown) => {
          failures.push(error);
          inner.abort();
        })
        .finally(() => workers.delete(worker));
      workers.add(worker);
    };
    const grow = () => {
      while (!signal.aborted && workers.size < this.#hub.options.connections && this.#task.part.unclaimedBytes > 0) start();
    };
    start();
    while (workers.size > 0) await Promise.race(workers);
    if (this.#task.signal.aborted) throw cancelled();
    if (failures.length === 0) return;
    const [failure] = failures;
    if (!(failure instanceof StartOver)) throw failure;
    this.#starts += 1;
    if (this.#starts > mostStarts) throw new HostError('download-failed', failure.message, 'Try again later.');
    await this.#task.part.restart();
    this.#bytesAtFailure = 0;
    this.#sightings.clear();
    this.#noRanges = !failure.withRanges;
  }

  /** Fetches stretches until none is left. `accepted` is called when an answer was good. */
  async #work(signal: AbortSignal, accepted: () => void): Promise<void> {
    const { part } = this.#task;
    for (;;) {
      await this.#waitForTurn(signal);
      const share = Math.ceil(part.unclaimedBytes / this.#hub.options.connections / 2);
      const stretch = part.claim(Math.min(mostPieceBytes, Math.max(leastPieceBytes, share)));
      if (!stretch) return;
      try {
        await this.#fetchStretch(stretch, signal, accepted);
      } catch (error) {
        if (signal.aborted || !(error instanceof Interrupted)) throw error;
        this.#noteFailure(error);
      } finally {
        part.release(stretch);
      }
    }
  }

  /** A server without ranges: from the start each time. */
  async #fetchWhole(): Promise<void> {
    const { part, signal } = this.#task;
    await this.#waitForTurn(signal);
    if (part.bytes > 0) await part.restart();
    try {
      await this.#fetchStretch({ start: 0, end: part.file.sizeBytes }, signal, () => undefined);
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (!(error instanceof Interrupted)) throw error;
      this.#bytesAtFailure = part.bytes;
      this.#noteFailure(error);
    }
  }

  async #waitForTurn(signal: AbortSignal): Promise<void> {
    const waitMs = this.#goOnAtMs - performance.now();
    if (waitMs <= 0) return;
    await pause(waitMs, undefined, { signal }).catch(() => {
      throw cancelled();
    });
  }

  #noteFailure(error: Interrupted): void {
    const { part } = this.#task;
    const { firstRetryPauseMs, retries } = this.#hub.options;
    const now = performance.now();
    // Whatever moved forward starts the count again.
    if (part.bytes > this.#bytesAtFailure) this.#failures = 0;
    this.#bytesAtFailure = part.bytes;
    if (now >= this.#goOnAtMs) this.#failures += 1;
    if (this.#failures > retries) throw new HostError('download-failed', error.message, 'Try again later.', { cause: error });
    const pauseMs =
      error.afterMs === undefined ? Math.min(firstRetryPauseMs * 2 ** Math.max(0, this.#failures - 1), longestPauseMs) : Math.min(error.afterMs, longestStatedPauseMs);
    this.#goOnAtMs = Math.max(this.#goOnAtMs, now + pauseMs);
    this.#task.onWaiting(error.message, Date.now() + (this.#goOnAtMs - now));
  }

  async #fetchStretch(stretch: Interval, signal: AbortSignal, accepted: () => void): Promise<void> {
    const { firstByteTimeoutMs, stallTimeoutMs } = this.#hub.options;
    const watchdog = new Watchdog(signal);
    let answered = false;
    try {
      watchdog.allow(firstByteTimeoutMs);
      const response = await this.#open(stretch, watchdog.signal);
      answered = true;
      this.#heardFrom = true;
      this.#sightings.clear();
      accepted();
      await this.#receive(response, stretch, watchdog, signal);
    } catch (error) {
      if (error instanceof HostError || error instanceof Interrupted || error instanceof StartOver || signal.aborted) throw error;
      const limitMs = answered ? stallTimeoutMs : firstByteTimeoutMs;
      const reason = watchdog.expired ? `nothing came for ${Math.round(limitMs / 1000)} s` : describeNetworkError(error);
      // Not reached at all: another source is worth more than another try here.
      if (!this.#heardFrom && this.#task.part.bytes === 0) throw new HostError('download-failed', reason, 'Check the network connection.', { cause: error });
      throw new Interrupted(reason);
    } finally {
      watchdog.stop();
    }
  }

  /** The answer to a range request, checked; its body is exactly the stretch, or its beginning. */
  async #open(stretch: Interval, signal: AbortSignal): Promise<Response> {
    const { part } = this.#task;
    const headers: Record<string, string> = {};
    if (!this.#noRanges) headers['range'] = `bytes=${stretch.start}-${stretch.end - 1}`;
    if (!this.#noRanges && part.etag) headers['if-range'] = part.etag;
    const condition = headers['if-range'] ?? null;
    const known = this.#direct;
    const { response, url } = known
      ? { response: await this.#hub.request(this.#purpose, known, { headers, signal }), url: known }
      : await this.#hub.follow(this.#purpose, this.#hub.fileUrl(this.#location), { headers, signal, onHop: (hop) => this.#checkIdentity(hop) });
    try {
      this.#checkStatus(response, url);
      this.#checkState(response);
      this.#checkRange(response, stretch, condition !== null && condition !== part.etag);
    } catch (error) {
      await response.body?.cancel().catch(() => undefined);
      // Whatever was wrong, the hub is asked anew.
      if (this.#direct === known) this.#direct = null;
      throw error;
    }
    if (!response.body) throw new Interrupted('the answer has no content');
    if (!known && !this.#hub.isOwn(url)) this.#direct = url;
    return response;
  }

  async #receive(response: Response, stretch: Interval, watchdog: Watchdog, signal: AbortSignal): Promise<void> {
    const { part, limit, onProgress } = this.#task;
    const { stallTimeoutMs } = this.#hub.options;
    let offset = stretch.start;
    let sinceAllowed = Infinity;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (offset + chunk.length > stretch.end) throw new Interrupted('it sends more than was asked for');
      // A slow disk and the bandwidth limit are no fault of the server.
      watchdog.hold();
      await part.write(chunk, offset);
      offset += chunk.length;
      onProgress(part.bytes);
      await limit.take(chunk.length, signal);
      sinceAllowed += chunk.length;
      if (sinceAllowed < aliveBytes) watchdog.resume();
      else {
        sinceAllowed = 0;
        watchdog.allow(stallTimeoutMs);
      }
    }
    if (offset < stretch.end) throw new Interrupted(`the connection ended after ${formatBytes(part.bytes)} of ${formatBytes(part.file.sizeBytes)}`);
  }

  /** The hub states size and SHA-256 before the first byte: another file is refused at once. */
  #checkIdentity(response: Response): void {
    const { sizeBytes, sha256 } = this.#task.part.file;
    const linkedSize = response.headers.get('x-linked-size');
    if (linkedSize !== null && Number(linkedSize) !== sizeBytes) throw wrongFile(`it holds a file of ${linkedSize} bytes, not ${sizeBytes}`);
    const linkedDigest = response.headers.get('x-linked-etag')?.replace(/^W\//, '').replaceAll('"', '');
    if (linkedDigest && /^[0-9a-f]{64}$/.test(linkedDigest) && linkedDigest !== sha256) {
      throw wrongFile(`it holds a file with the SHA-256 ${linkedDigest}, not ${sha256}`);
    }
    if (linkedDigest === sha256) this.#identified = true;
  }

  #checkStatus(response: Response, url: URL): void {
    const { status } = response;
    if (status === 200 || status === 206) return;
    if (retriedStatuses.has(status)) throw tryAgainLater(response);
    if (status === 416) throw new Interrupted('it has no such range');
    if (!this.#hub.isOwn(url) && expiredStatuses.has(status)) throw new Interrupted(`the address it gave is not good any more (${status})`);
    throw refusal(response, this.#hub.page(this.#location.repository));
  }

  /** Bytes of two states of a file do not belong together. */
  #checkState(response: Response): void {
    const { part } = this.#task;
    const etag = strongEtag(response);
    if (part.etag === null) {
      part.etag = etag;
      return;
    }
    if (etag === null || etag === part.etag) return;
    if (!this.#isBelieved('state')) throw new Interrupted('it sent another state of the file');
    if (!this.#identified) throw new StartOver('the file changes while it is fetched', !this.#noRanges);
    // The hub says that it is the same file: only what its storage calls it has changed.
    part.etag = etag;
    this.#sightings.clear();
    throw new Interrupted('it calls the file by another name');
  }

  /** `outdated`: it was asked under a condition that does not hold any more. */
  #checkRange(response: Response, stretch: Interval, outdated: boolean): void {
    const { part } = this.#task;
    const { sizeBytes } = part.file;
    const { status, headers } = response;
    const length = headers.get('content-length');
    if (status === 200) {
      if (length !== null && Number(length) !== sizeBytes) throw this.#anotherSize(length);
      if (outdated) throw new Interrupted('it calls the file by another name');
      if (!this.#noRanges) throw this.#task.part.bytes === 0 || this.#isBelieved('everything') ? new StartOver('it does not send ranges', false) : new Interrupted('it sent everything instead of a range');
      return;
    }
    const stated = headers.get('content-range');
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(stated ?? '');
    if (this.#noRanges) throw new Interrupted('it sent a range that nobody asked for');
    if (range && Number(range[3]) !== sizeBytes) throw this.#anotherSize(range[3] ?? '');
    const exact = range && Number(range[1]) === stretch.start && Number(range[2]) === stretch.end - 1;
    if (!exact) {
      const reason = `it answered with another range (${stated ?? 'none'})`;
      throw this.#isBelieved('range') ? this.#startOverWithoutRanges(reason) : new Interrupted(reason);
    }
    if (length !== null && Number(length) !== stretch.end - stretch.start) throw new Interrupted(`it announced ${length} bytes for a range of ${stretch.end - stretch.start}`);
  }

  #anotherSize(length: string): Error {
    const reason = `it holds a file of ${length} bytes, not ${this.#task.part.file.sizeBytes}`;
    if (!this.#isBelieved('size')) return new Interrupted(reason);
    // Some servers are only bad at ranges.
    return this.#noRanges ? wrongFile(reason) : this.#startOverWithoutRanges(reason);
  }

  /** Never at the price of what was fetched already. */
  #startOverWithoutRanges(reason: string): Error {
    return this.#task.part.bytes === 0 ? new StartOver(reason, false) : new Interrupted(reason);
  }

  #isBelieved(what: Strangeness): boolean {
    const sightings = (this.#sightings.get(what) ?? 0) + 1;
    this.#sightings.set(what, sightings);
    return sightings >= sightingsToBelieve;
  }
}

/** A weak one does not promise the same bytes. */
function strongEtag(response: Response): string | null {
  const etag = response.headers.get('etag');
  return etag?.startsWith('"') ? etag : null;
}

function wrongFile(reason: string): HostError {
  return new HostError('checksum-mismatch', reason, 'Choose another source.');
}
