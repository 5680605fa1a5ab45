/** The second host of the hub of tests: sends bytes at signed addresses, in ranges, and misbehaves as it is told. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { HubContent } from './hubContent.ts';

/** How one answer differs from a good one. */
export interface StorageFault {
  status?: number;
  headers?: Record<string, string>;
  /** Sent instead of the file. */
  content?: HubContent;
  /** Sent instead of the file's own; null: none. */
  etag?: string | null;
  contentRange?: string;
  contentLength?: number;
  /** Answers 200 and everything, whatever was asked for. */
  ignoreRange?: boolean;
  dieAfterBytes?: number;
  /** Then nothing more comes, and the connection stays. */
  stallAfterBytes?: number;
  bytesPerSecond?: number;
  /** Never answers. */
  silent?: boolean;
}

export interface StorageOptions {
  /** By the name in the address. */
  find(name: string): HubContent | undefined;
  fault?(request: IncomingMessage): StorageFault | undefined;
  onRequest?(request: IncomingMessage): void;
  onBytes?(bytes: number): void;
}

export function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler);
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function startStorage(options: StorageOptions): Promise<Server> {
  return listen((request, response) => {
    options.onRequest?.(request);
    void answer(request, response, options).catch(() => response.destroy());
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, options: StorageOptions): Promise<void> {
  const fault = options.fault?.(request) ?? {};
  if (fault.silent) return;
  if (fault.status !== undefined) return void response.writeHead(fault.status, fault.headers).end();
  const name = URL.parse(request.url ?? '', 'http://storage')?.pathname.split('/').at(-1) ?? '';
  const content = fault.content ?? options.find(name);
  if (!content) return void response.writeHead(404).end();

  const etag = fault.etag === undefined ? `"${content.sha256.slice(0, 32)}"` : fault.etag;
  const range = fault.ignoreRange ? null : rangeOf(request, content.sizeBytes, etag);
  if (range && range.start >= content.sizeBytes) {
    return void response.writeHead(416, { 'content-range': `bytes */${content.sizeBytes}` }).end();
  }
  const { start, end } = range ?? { start: 0, end: content.sizeBytes };
  response.writeHead(range ? 206 : 200, {
    'accept-ranges': 'bytes',
    'content-length': fault.contentLength ?? end - start,
    ...(etag !== null && { etag }),
    ...(range && { 'content-range': fault.contentRange ?? `bytes ${start}-${end - 1}/${content.sizeBytes}` }),
    ...fault.headers,
  });
  await send(content, start, end, response, fault, options.onBytes);
}

async function send(content: HubContent, start: number, end: number, response: ServerResponse, fault: StorageFault, onBytes: (bytes: number) => void = () => undefined): Promise<void> {
  const cut = fault.dieAfterBytes ?? fault.stallAfterBytes;
  const stop = cut === undefined ? end : Math.min(end, start + cut);
  async function* paced(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      onBytes(chunk.length);
      yield chunk;
      if (fault.bytesPerSecond) await pause((chunk.length * 1000) / fault.bytesPerSecond);
    }
  }
  await pipeline(content.read(start, stop), paced, response, { end: cut === undefined });
  if (fault.dieAfterBytes === undefined) return;
  // What was written has to leave first.
  await pause(20);
  response.destroy();
}

/** null: everything. A condition that does not hold asks for everything, too. */
function rangeOf(request: IncomingMessage, sizeBytes: number, etag: string | null): { start: number; end: number } | null {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  if (!range || (condition !== undefined && condition !== etag)) return null;
  return { start: Number(range[1]), end: range[2] === '' ? sizeBytes : Math.min(Number(range[2]) + 1, sizeBytes) };
}
