/** A request and its answer: the body as JSON, an answer as JSON or as events, and the end when the client leaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './apiError.ts';
import { EventStream } from './eventStream.ts';

/** Of a body of JSON; documents as files may be larger. */
const maximumBodyBytes = 128_000_000;

export class Exchange {
  readonly request: IncomingMessage;
  readonly url: URL;
  /** Aborted when the client is gone before it has its answer. */
  readonly signal: AbortSignal;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.url = new URL(request.url ?? '/', 'http://local');
    this.#response = response;
    const abort = new AbortController();
    this.signal = abort.signal;
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
    });
  }

  async body(): Promise<unknown> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maximumBodyBytes) throw new ApiError(413, 'request_too_large', `The request is larger than ${maximumBodyBytes} bytes: send a document as a file, with its name in the query.`);
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    } catch {
      throw new ApiError(400, 'invalid_json', 'The body of the request is not JSON.');
    }
  }

  json(status: number, value: unknown): void {
    this.#response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    this.#response.end(JSON.stringify(value));
  }

  stream(): EventStream {
    return new EventStream(this.#response);
  }
}
