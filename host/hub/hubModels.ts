/** Models at the hub: search, contents, a verdict before anything is downloaded, and the download itself. */
import { joinParts } from '../../engine/formats/gguf/joinParts.ts';
import { type GgufFile, readGguf } from '../../engine/formats/gguf/readGguf.ts';
import type { Download, DownloadTarget } from '../contract/entities.ts';
import type { HubContents, HubFilters, HubModelFile, HubRepository, Verdict } from '../contract/hub.ts';
import type { KvBudgets } from '../contract/policy.ts';
import type { DownloadManager } from '../downloads/downloadManager.ts';
import { HostError } from '../errors.ts';
import { splitName } from '../models/openModelSource.ts';
import { loadJudge } from '../models/loadJudge.ts';
import type { Machine } from '../models/verdict.ts';
import type { HubClient } from './hubClient.ts';
import { readReference } from './hubReference.ts';
import { readContents, searchHub } from './hubSearch.ts';
import { RemoteSource } from './remoteSource.ts';

export interface HubModelsOptions {
  hub: HubClient;
  downloads: DownloadManager;
  machine(): Promise<Machine>;
  budgets(): KvBudgets;
}

export interface HubFileChoice {
  repository: string;
  revision: string;
  path: string;
}

interface Header {
  file: GgufFile;
  headerBytes: number;
}

/** Headers and contents that were read, the newest last. */
const mostKept = 64;

export class HubModels {
  readonly #options: HubModelsOptions;
  readonly #headers = new Map<string, Promise<Header>>();
  readonly #contents = new Map<string, HubContents>();

  constructor(options: HubModelsOptions) {
    this.#options = options;
  }

  /** Words are searched for; what names one repository finds that. */
  async search(query: string, filters: HubFilters, cursor: string | null): Promise<{ repositories: HubRepository[]; cursor: string | null }> {
    const reference = query.trim() === '' ? null : readReference(query, this.#options.hub.endpoint);
    if (reference && cursor === null) {
      try {
        return { repositories: [(await this.contents(query)).repository], cursor: null };
      } catch (error) {
        // “qwen/qwen3” may be words, too.
        if (/^https?:/i.test(query.trim()) || !(error instanceof HostError) || error.code !== 'hub-not-found') throw error;
      }
    }
    return searchHub(this.#options.hub, query, filters, cursor);
  }

  async contents(referenceText: string): Promise<HubContents> {
    const reference = readReference(referenceText, this.#options.hub.endpoint);
    if (!reference) throw new HostError('bad-request', `“${referenceText}” names no repository.`, 'Write owner/name, or paste the address of a model’s page.');
    const contents = await readContents(this.#options.hub, reference.repository, reference.revision);
    keep(this.#contents, `${reference.repository}@${contents.commit}`, contents);
    return contents;
  }

  async verdict(choice: HubFileChoice, contextTokens: number | null): Promise<Verdict> {
    const found = await this.#find(choice);
    const machine = await this.#options.machine();
    const { file, headerBytes } = await this.#header(choice, found);
    const judge = await loadJudge();
    return judge({ file, downloadBytes: found.sizeBytes, headerBytes }, contextTokens, machine, this.#options.budgets());
  }

  /** Refuses what the engine cannot run before anything is fetched. */
  async download(choice: HubFileChoice): Promise<Download> {
    const found = await this.#find(choice);
    const verdict = await this.verdict(choice, null);
    if (verdict.level === 'unsupported') throw new HostError('bad-request', verdict.reason, 'Choose a model of an architecture that Longleaf knows.');
    return this.#options.downloads.fetch(await this.#target(choice, found));
  }

  async #target({ repository, revision }: HubFileChoice, { path, parts }: HubModelFile): Promise<DownloadTarget> {
    const contents = this.#contents.get(`${repository}@${revision}`) ?? (await this.contents(`${repository}@${revision}`));
    const fileName = path.split('/').at(-1) ?? path;
    const name = splitName(fileName)?.stem ?? fileName.replace(/\.gguf$/i, '');
    return {
      id: name.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 56) || 'model',
      catalogueId: null,
      name,
      licence: contents.repository.licence,
      files: parts.map((part) => ({
        fileName: part.path.split('/').at(-1) ?? part.path,
        sizeBytes: part.sizeBytes,
        sha256: part.sha256,
        // The commit: what is fetched stays the same, whatever happens to the branch meanwhile.
        sources: [{ kind: 'hub' as const, repository, revision: contents.commit, path: part.path }],
      })),
    };
  }

  async #find({ repository, revision, path }: HubFileChoice): Promise<HubModelFile> {
    const contents = this.#contents.get(`${repository}@${revision}`) ?? (await this.contents(`${repository}@${revision}`));
    const found = contents.files.find((file) => file.path === path || file.parts.some((part) => part.path === path));
    if (found) return found;
    throw new HostError('hub-not-found', `${repository} has no GGUF file ${path}.`, 'Look which files there are on its page.');
  }

  #header({ repository, revision }: HubFileChoice, { parts }: HubModelFile): Promise<Header> {
    const key = parts.map(({ sha256 }) => sha256).join();
    const known = this.#headers.get(key);
    if (known) return known;
    const read = async (): Promise<Header> => {
      const sources = parts.map(({ path, sizeBytes }) => new RemoteSource(this.#options.hub, { repository, revision, path }, sizeBytes, this.#options.hub.outbound.signal));
      const [only] = sources;
      const file = await readGguf(only && sources.length === 1 ? only : await joinParts(sources));
      return { file, headerBytes: sources.reduce((sum, { fetchedBytes }) => sum + fetchedBytes, 0) };
    };
    const reading = read();
    keep(this.#headers, key, reading);
    // A failure may be over at the next try.
    reading.catch(() => this.#headers.delete(key));
    return reading;
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= mostKept) break;
    map.delete(oldest);
  }
}
