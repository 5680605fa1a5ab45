/**
 * A local server that behaves like a model hub: `resolve` states size and digest and redirects to a
 * second host, which sends ranges. Each test says how it misbehaves.
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface HubFaults {
  /** Sent instead of the file by the second host. */
  content?: Buffer;
  /** The status and headers of `resolve`. */
  refuse?: { status: number; headers?: Record<string, string> };
  /** How many times to refuse; always, if not said. */
  refuseTimes?: number;
  /** The connection dies after so many bytes, this many times. */
  dieAfterBytes?: number;
  dieTimes?: number;
  /** The second host answers 200 and the whole file, whatever range is asked for. */
  ignoreRanges?: boolean;
  /** The second host answers this Content-Range. */
  contentRange?: string;
  /** Connections are accepted and never answered. */
  silent?: boolean;
  /** Sends so many bytes and then nothing, once. */
  stallAfterBytes?: number;
  /** `resolve` redirects to itself. */
  redirectForever?: boolean;
  /** Leaves out X-Linked-Size and X-Linked-ETag. */
  withoutIdentity?: boolean;
}

export interface HubServer {
  endpoint: string;
  /** "GET /path range" with the host's role in front, in order. */
  requests: string[];
  /** The Authorization headers that the second host saw. */
  leakedTokens: string[];
  close(): Promise<void>;
}

export async function startHubServer(file: Buffer, faults: HubFaults = {}): Promise<HubServer> {
  const requests: string[] = [];
  const leakedTokens: string[] = [];
  let deaths = 0;
  let refusals = 0;
  let stalls = 0;

  const storage = await listen((request, response) => {
    requests.push(`storage ${request.method} ${request.headers.range ?? 'all'}`);
    if (request.headers.authorization) leakedTokens.push(request.headers.authorization);
    const content = faults.content ?? file;
    const start = faults.ignoreRanges ? 0 : startOf(request, content.length);
    if (start > content.length || (start === content.length && start > 0)) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(start);
    const partial = request.headers.range !== undefined && !faults.ignoreRanges;
    response.writeHead(partial ? 206 : 200, {
      'content-length': body.length,
      ...(partial && { 'content-range': faults.contentRange ?? `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    if (faults.dieAfterBytes !== undefined && deaths < (faults.dieTimes ?? Infinity)) {
      deaths += 1;
      response.write(body.subarray(0, faults.dieAfterBytes), () => setTimeout(() => response.destroy(), 20));
    } else if (faults.stallAfterBytes !== undefined && stalls === 0) {
      stalls += 1;
      response.write(body.subarray(0, faults.stallAfterBytes));
    } else response.end(body);
  });

  const hub = await listen((request, response) => {
    requests.push(`hub ${request.method} ${request.url} ${request.headers.range ?? 'all'}`);
    if (faults.silent) return;
    if (faults.refuse && refusals < (faults.refuseTimes ?? Infinity)) {
      refusals += 1;
      response.writeHead(faults.refuse.status, faults.refuse.headers).end();
      return;
    }
    response.writeHead(302, {
      location: faults.redirectForever ? (request.url ?? '/') : `http://127.0.0.1:${portOf(storage)}/signed?signature=secret`,
      ...(!faults.withoutIdentity && {
        'x-linked-size': String(file.length),
        'x-linked-etag': `"${createHash('sha256').update(file).digest('hex')}"`,
      }),
    });
    response.end();
  });

  const close = async () => {
    for (const server of [hub, storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  onTestFinished(close);
  // "localhost" and "127.0.0.1" are two hosts to a client.
  return { endpoint: `http://localhost:${portOf(hub)}`, requests, leakedTokens, close };
}

function startOf(request: IncomingMessage, length: number): number {
  const range = /^bytes=(\d+)-/.exec(request.headers.range ?? '');
  return range ? Math.min(Number(range[1]), length + 1) : 0;
}

function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler);
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
