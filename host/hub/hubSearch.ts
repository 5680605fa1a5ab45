/** Search at the hub, and what is in a repository. What the hub sends is checked field by field; much of it may be missing. */
import type { Response } from 'undici';
import * as z from 'zod';
import { supportedArchitectures } from '../../engine/models/registry.ts';
import type { HubContents, HubFilters, HubModelFile, HubRepository } from '../contract/hub.ts';
import { repositoryId } from '../contract/hub.ts';
import { HostError } from '../errors.ts';
import { splitName } from '../models/openModelSource.ts';
import { refusal, retriedStatuses, tryAgainLater } from './hubAnswers.ts';
import { type HubClient, encodePath } from './hubClient.ts';

const pageLimit = 50;
/** In a row with nothing that passes the filters; then the person is asked whether to go on. */
const mostEmptyPages = 8;
/** How repositories write an architecture in their names, where it is not as in the file. */
const familyNames: Record<string, string> = { gemma3: 'gemma-3', phi3: 'phi', qwen35: 'qwen3.5', qwen3moe: 'qwen3', mistral3: 'ministral' };
const count = z.number().int().nonnegative();
/** A field that is missing or of another kind is not known. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable().catch(null).default(null);

const repositoryAnswer = z.object({
  id: repositoryId,
  downloads: count.catch(0).default(0),
  likes: count.catch(0).default(0),
  lastModified: maybe(z.string()),
  gated: z.union([z.boolean(), z.string()]).catch(false).default(false),
  tags: z.array(z.string()).catch([]).default([]),
  gguf: maybe(z.object({ total: maybe(count), architecture: maybe(z.string()), context_length: maybe(count) })),
});
const contentsAnswer = repositoryAnswer.extend({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string().max(1000),
      size: maybe(count),
      lfs: maybe(z.object({ sha256: z.string().optional(), oid: z.string().optional(), size: count })),
    }),
  ),
});

interface Page {
  repositories: HubRepository[];
  /** Of the next; null: there is none. */
  cursor: string | null;
}

/** The hub knows no filter for family, size and context: pages of which nothing passes are passed over. */
export async function searchHub(hub: HubClient, query: string, filters: HubFilters, cursor: string | null, signal?: AbortSignal): Promise<Page> {
  let page = await readPage(hub, query, filters, cursor, signal);
  for (let pages = 1; pages < mostEmptyPages && page.repositories.length === 0 && page.cursor !== null; pages += 1) {
    page = await readPage(hub, query, filters, page.cursor, signal);
  }
  return page;
}

async function readPage(hub: HubClient, query: string, filters: HubFilters, cursor: string | null, signal?: AbortSignal): Promise<Page> {
  const url = cursor === null ? searchUrl(hub, query, filters) : URL.parse(cursor);
  if (!url || !hub.isOwn(url)) throw new HostError('bad-request', 'This page of results is of another hub.', 'Search again.');
  const { value, headers } = await hub.json('search for models', url, (response) => refuse(response, hub.endpoint.href), signal);
  const next = /<([^>]+)>;\s*rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? null;
  return { repositories: repositoriesIn(value, hub.endpoint.host).filter((repository) => passes(repository, filters)), cursor: next };
}

/** Repositories that cannot be read are left out. `host`: the hub's name in failures. */
export function repositoriesIn(value: unknown, host: string): HubRepository[] {
  if (!Array.isArray(value)) throw new HostError('hub-unreachable', `The hub ${host} does not answer a search as it should.`, 'Check the hub’s address in the settings, or try again later.');
  return value.flatMap((item: unknown) => {
    const answer = repositoryAnswer.safeParse(item);
    return answer.success ? [describe(answer.data)] : [];
  });
}

export async function readContents(hub: HubClient, repository: string, revision: string | null, signal?: AbortSignal): Promise<HubContents> {
  const url = hub.url(`api/models/${encodePath(repository)}/revision/${encodeURIComponent(revision ?? 'main')}`);
  url.searchParams.set('blobs', 'true');
  const { value } = await hub.json(`look at ${repository}`, url, (response) => refuse(response, hub.page(repository)), signal);
  return contentsIn(value, repository, { host: hub.endpoint.host, page: hub.page(repository) });
}

export function contentsIn(value: unknown, repository: string, { host, page }: { host: string; page: string }): HubContents {
  const answer = contentsAnswer.safeParse(value);
  if (!answer.success) throw new HostError('hub-unreachable', `The hub ${host} does not answer as it should about ${repository}.`, 'Try again later, or choose another repository.');
  return { repository: describe(answer.data), commit: answer.data.sha, files: modelFilesOf(answer.data.siblings), page };
}

function searchUrl(hub: HubClient, query: string, { licence, family }: HubFilters): URL {
  const url = hub.url('api/models');
  const { searchParams } = url;
  // Words are looked for in names, where the family need not stand.
  const words = query.trim() || (family ? (familyNames[family] ?? family) : '');
  if (words) searchParams.set('search', words);
  searchParams.append('filter', 'gguf');
  if (licence) searchParams.append('filter', `license:${licence}`);
  for (const field of ['downloads', 'likes', 'lastModified', 'gated', 'tags', 'gguf']) searchParams.append('expand[]', field);
  searchParams.set('sort', 'downloads');
  searchParams.set('direction', '-1');
  searchParams.set('limit', String(pageLimit));
  return url;
}

function refuse(response: Response, page: string): HostError {
  if (retriedStatuses.has(response.status)) {
    const { message } = tryAgainLater(response);
    return new HostError('hub-unreachable', `The hub cannot be asked now: ${message}.`, 'Try again in a while.');
  }
  const { code, message, remedy } = refusal(response, page);
  return new HostError(code, `The hub refuses: ${message}.`, remedy);
}

function describe({ id, downloads, likes, lastModified, gated, tags, gguf }: z.infer<typeof repositoryAnswer>): HubRepository {
  const licenceName = tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length) ?? null;
  const architecture = gguf?.architecture ?? null;
  return {
    id, downloads, likes, lastModified,
    licence: licenceName === null ? null : { name: licenceName, url: licenceUrl(licenceName, id) },
    gated: gated !== false,
    architecture,
    contextTokens: gguf?.context_length ?? null,
    parameters: gguf?.total ?? null,
    runs: architecture === null ? null : supportedArchitectures.includes(architecture),
  };
}

/** Well-known licences have a text; of others the repository's page tells. */
function licenceUrl(name: string, repository: string): string {
  const texts: Record<string, string> = { 'apache-2.0': 'https://www.apache.org/licenses/LICENSE-2.0', mit: 'https://opensource.org/license/mit' };
  return texts[name] ?? `https://huggingface.co/${repository}`;
}

/** What the hub does not know stays in: the header will tell. */
function passes({ architecture, parameters, contextTokens, runs }: HubRepository, filters: HubFilters): boolean {
  const { family, mostParameters, leastContextTokens, onlyRunnable } = filters;
  if (family !== null && architecture !== null && architecture !== family) return false;
  if (mostParameters !== null && parameters !== null && parameters > mostParameters) return false;
  if (leastContextTokens !== null && contextTokens !== null && contextTokens < leastContextTokens) return false;
  return !onlyRunnable || runs !== false;
}

/** GGUF files with a stated digest; the parts of a split model are one. */
function modelFilesOf(siblings: z.infer<typeof contentsAnswer>['siblings']): HubModelFile[] {
  const parts = siblings.flatMap(({ rfilename: path, lfs }) => {
    const sha256 = lfs?.sha256 ?? lfs?.oid;
    return lfs && sha256 && /^[0-9a-f]{64}$/.test(sha256) && /\.gguf$/i.test(path) ? [{ path, sizeBytes: lfs.size, sha256 }] : [];
  });
  const groups = new Map<string, typeof parts>();
  for (const part of parts) {
    const split = splitName(part.path);
    const key = split ? `${split.stem} of ${split.count}` : part.path;
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()].flatMap((group): HubModelFile[] => {
    const sorted = group.sort((a, b) => a.path.localeCompare(b.path));
    const [first] = sorted;
    if (!first || (splitName(first.path)?.count ?? 1) !== sorted.length) return [];
    return [{ path: first.path, label: labelOf(first.path), sizeBytes: sorted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), parts: sorted }];
  }).sort((a, b) => a.sizeBytes - b.sizeBytes);
}

/** “Q4_K_M”, “IQ3_XXS”, “BF16” out of a file's name; else the name. */
export function labelOf(path: string): string {
  const name = path.split('/').at(-1)?.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '') ?? path;
  const found = /(?:^|[-._])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32|MXFP4(?:_MOE)?))$/i.exec(name)?.[1];
  return found?.toUpperCase() ?? name;
}
