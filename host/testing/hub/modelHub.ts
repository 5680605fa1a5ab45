/**
 * A hub of models on this machine that speaks Hugging Face's protocol: search, what is in a repository, and `resolve`,
 * which states size and digest and redirects to a second host that sends the bytes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HubContent } from './hubContent.ts';
import { type StorageFault, listen, portOf, startStorage } from './storageHost.ts';

export interface HubRepository {
  /** owner/name */
  id: string;
  files: Record<string, HubContent>;
  /** Other revisions that there are, beside `main` and `commit`; all hold the same. */
  commits?: string[];
  /** Who may have the files: everybody, or those who accepted its terms. */
  gated?: false | 'auto' | 'manual';
  isPrivate?: boolean;
  licence?: string;
  downloads?: number;
  likes?: number;
  lastModified?: string;
  tags?: string[];
  gguf?: { total: number; architecture: string; context_length: number };
}

/** How one answer of the hub itself differs from a good one. */
export interface HubFault {
  status?: number;
  headers?: Record<string, string>;
  silent?: boolean;
  /** `resolve` redirects to itself. */
  redirectForever?: boolean;
  /** Leaves out X-Linked-Size and X-Linked-ETag. */
  withoutIdentity?: boolean;
}

export interface ModelHubOptions {
  repositories: HubRepository[];
  /** The token that opens gated repositories and private ones. */
  token?: string;
  hubFault?(request: IncomingMessage): HubFault | undefined;
  storageFault?(request: IncomingMessage): StorageFault | undefined;
  pageSize?: number;
}

export interface ModelHub {
  endpoint: string;
  /** "hub GET /path range" and "storage GET range", in order. */
  requests: string[];
  /** The Authorization headers that the second host saw. */
  leakedTokens: string[];
  /** Bytes that the second host sent. */
  sentBytes(): number;
  close(): Promise<void>;
}

export const commit = 'c0ffee00'.repeat(5);

export async function startModelHub({ repositories, token, hubFault, storageFault, pageSize = 20 }: ModelHubOptions): Promise<ModelHub> {
  const requests: string[] = [];
  const leakedTokens: string[] = [];
  let sentBytes = 0;

  const byDigest = (digest: string) => repositories.flatMap(({ files }) => Object.values(files)).find(({ sha256 }) => sha256 === digest);
  const storage = await startStorage({
    find: byDigest,
    fault: storageFault,
    onRequest: (request) => {
      requests.push(`storage ${request.method} ${request.headers.range ?? 'all'}`);
      if (request.headers.authorization) leakedTokens.push(request.headers.authorization);
    },
    onBytes: (bytes) => (sentBytes += bytes),
  });

  const hub = await listen((request, response) => {
    requests.push(`hub ${request.method} ${request.url} ${request.headers.range ?? 'all'}`);
    const fault = hubFault?.(request) ?? {};
    if (fault.silent) return;
    if (fault.status !== undefined) return void response.writeHead(fault.status, fault.headers).end();
    const url = new URL(request.url ?? '/', 'http://hub');
    const isKnown = token !== undefined && request.headers.authorization === `Bearer ${token}`;
    const resolving = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (resolving) {
      const repository = repositories.find(({ id }) => id === decodeURIComponent(resolving[1] ?? ''));
      const content = repository?.files[decodeURIComponent(resolving[3] ?? '')];
      if (!repository || (repository.isPrivate && !isKnown)) return refuse(response, isKnown ? 404 : 401, 'RepoNotFound');
      if (!['main', commit, ...(repository.commits ?? [])].includes(resolving[2] ?? '')) return refuse(response, 404, 'RevisionNotFound');
      if (repository.gated && !isKnown) return refuse(response, request.headers.authorization ? 403 : 401, 'GatedRepo');
      if (!content) return refuse(response, 404, 'EntryNotFound');
      response.writeHead(302, {
        location: fault.redirectForever ? request.url : `http://127.0.0.1:${portOf(storage)}/${content.sha256}?signature=secret`,
        'x-repo-commit': commit,
        ...(!fault.withoutIdentity && { 'x-linked-size': String(content.sizeBytes), 'x-linked-etag': `"${content.sha256}"` }),
        ...fault.headers,
      });
      return void response.end();
    }
    if (url.pathname === '/api/models') return search(url, response);
    const asked = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(url.pathname);
    const repository = repositories.find(({ id, isPrivate }) => id === asked?.[1] && (!isPrivate || isKnown));
    if (!asked || !repository) return refuse(response, 401, 'RepoNotFound');
    if (!['main', commit].includes(asked[2] ?? '')) return refuse(response, 404, 'RevisionNotFound');
    const siblings = Object.entries(repository.files).map(([rfilename, { sizeBytes, sha256 }]) => ({ rfilename, size: sizeBytes, lfs: { sha256, size: sizeBytes, pointerSize: 134 } }));
    sendJson(response, { ...describe(repository), siblings: [{ rfilename: 'README.md', size: 1234 }, ...siblings] });
  });

  function search(url: URL, response: ServerResponse): void {
    const words = (url.searchParams.get('search') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const filters = url.searchParams.getAll('filter').flatMap((filter) => filter.split(','));
    const found = repositories
      .filter(({ isPrivate }) => !isPrivate)
      .filter(({ id }) => words.every((word) => id.toLowerCase().includes(word)))
      .filter((repository) => filters.every((filter) => tagsOf(repository).includes(filter)))
      .sort((a, b) => (b.downloads ?? 0) - (a.downloads ?? 0));
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const size = Math.min(pageSize, Number(url.searchParams.get('limit') ?? pageSize));
    const headers: Record<string, string> = {};
    if (start + size < found.length) {
      const next = new URL(url);
      next.searchParams.set('cursor', String(start + size));
      headers['link'] = `<http://localhost:${portOf(hub)}${next.pathname}${next.search}>; rel="next"`;
    }
    sendJson(response, found.slice(start, start + size).map(describe), headers);
  }

  const close = async () => {
    for (const server of [hub, storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  // "localhost" and "127.0.0.1" are two hosts to a client.
  return { endpoint: `http://localhost:${portOf(hub)}`, requests, leakedTokens, sentBytes: () => sentBytes, close };
}

function tagsOf({ licence, tags = [], files }: HubRepository): string[] {
  const isGguf = Object.keys(files).some((path) => path.endsWith('.gguf'));
  return [...tags, ...(isGguf ? ['gguf'] : []), ...(licence ? [`license:${licence}`] : [])];
}

function describe(repository: HubRepository) {
  const { id, gated = false, isPrivate = false, downloads = 0, likes = 0, lastModified = '2026-01-02T03:04:05.000Z', gguf } = repository;
  const author = id.split('/')[0];
  return { _id: id, id, modelId: id, author, sha: commit, gated, private: isPrivate, downloads, likes, lastModified, tags: tagsOf(repository), ...(gguf && { gguf }) };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' }).end(JSON.stringify({ error: code }));
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ratelimit: '"api";r=499;t=120', ...headers }).end(JSON.stringify(value));
}
