/**
 * A model hub on this machine: answers `/<repository>/resolve/<revision>/<file>` as Hugging Face does, with the file's
 * size and SHA-256, a redirect to where the bytes are, and ranges.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import catalogue from '../../assets/catalogue.json' with { type: 'json' };

export interface Hub {
  endpoint: string;
  close(): Promise<void>;
}

/** Slow enough for the progress to be seen. */
const chunkBytes = 4 * 1024 * 1024;
const pauseMs = 60;

/** Serves the files of the catalogue that lie in `folder`. */
export async function startHub(folder: string): Promise<Hub> {
  const server = createServer((request, response) => {
    answer(folder, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [resolving, fileName] = [/\/resolve\/[^/]+\/([^/]+)$/, /^\/bytes\/([^/]+)$/].map((pattern) => pattern.exec(request.url ?? '')?.[1]);
  const entry = catalogue.find((candidate) => candidate.fileName === (resolving ?? fileName));
  if (!entry) return void response.writeHead(404).end();
  if (resolving) {
    response.writeHead(302, {
      location: `/bytes/${entry.fileName}`,
      'x-linked-size': String(entry.sizeBytes),
      'x-linked-etag': `"${entry.sha256}"`,
    });
    return void response.end();
  }
  await sendBytes(join(folder, entry.fileName), request.headers.range, response);
}

async function sendBytes(path: string, range: string | undefined, response: ServerResponse): Promise<void> {
  const { size } = statSync(path);
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const headers = { 'content-length': String(size - start), 'content-type': 'application/octet-stream' };
  if (range) response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${size - 1}/${size}` });
  else response.writeHead(200, headers);
  await pipeline(createReadStream(path, { start, highWaterMark: chunkBytes }), throttled, response);
}

async function* throttled(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    await pause(pauseMs);
  }
}
