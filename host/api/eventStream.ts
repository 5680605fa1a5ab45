/** Server-sent events, as OpenAI's clients read them. Nothing is sent before the first event, so that a refusal keeps its status. */
import type { ServerResponse } from 'node:http';
import { toErrorReply } from './apiError.ts';

const commentEveryMs = 1000;

export class EventStream {
  readonly #response: ServerResponse;
  #commentedAtMs = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  open(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'keep-alive' });
    this.#response.flushHeaders();
  }

  send(event: unknown): void {
    this.open();
    this.#response.write(`data: ${JSON.stringify(event)}\n\n`);
  }

  /** Clients skip it; it keeps a connection alive while a long prompt is read. */
  comment(text: string): void {
    const now = Date.now();
    if (now - this.#commentedAtMs < commentEveryMs) return;
    this.#commentedAtMs = now;
    this.#response.write(`: ${text}\n\n`);
  }

  end(): void {
    this.#response.end('data: [DONE]\n\n');
  }

  /** An error after the first event is an event, too. */
  fail(error: unknown): void {
    this.#response.end(`data: ${JSON.stringify(toErrorReply(error).body)}\n\n`);
  }
}
