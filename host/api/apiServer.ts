/** The OpenAI-compatible API over HTTP, on 127.0.0.1 only. Routes are below; each answers in a file of its own. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { listenLocally } from '../server/listen.ts';
import { type ApiKey, checkAccess } from './access.ts';
import { ApiError, toErrorReply } from './apiError.ts';
import { type ApiParts, findModel } from './apiParts.ts';
import { createChatCompletion } from './chatCompletions.ts';
import { createCompletion, tokenize } from './completions.ts';
import { addDocument, askDocument, describeModel, listDocuments, readDocument, showDocument } from './documents.ts';
import { EventStream } from './eventStream.ts';
import { Exchange } from './exchange.ts';

export interface ApiServer {
  readonly port: number;
  /** Ends what is being answered. */
  close(): Promise<void>;
}

type Answer = (parts: ApiParts, exchange: Exchange, id: string) => void | Promise<void>;

const routes: readonly { method: string; path: RegExp; answer: Answer }[] = [
  { method: 'GET', path: /^\/v1\/models$/, answer: ({ models }, exchange) => exchange.json(200, { object: 'list', data: models.list().map(describeModel) }) },
  { method: 'GET', path: /^\/v1\/models\/([^/]+)$/, answer: (parts, exchange, id) => exchange.json(200, describeModel(findModel(parts, id))) },
  { method: 'POST', path: /^\/v1\/chat\/completions$/, answer: async (parts, exchange) => createChatCompletion(parts, await exchange.body(), exchange) },
  { method: 'POST', path: /^\/v1\/completions$/, answer: async (parts, exchange) => createCompletion(parts, await exchange.body(), exchange) },
  { method: 'POST', path: /^\/v1\/tokenize$/, answer: async (parts, exchange) => tokenize(parts, await exchange.body(), exchange) },
  { method: 'GET', path: /^\/v1\/documents$/, answer: listDocuments },
  { method: 'POST', path: /^\/v1\/documents$/, answer: addDocument },
  { method: 'GET', path: /^\/v1\/documents\/([\w-]+)$/, answer: (parts, exchange, id) => showDocument(parts, id, exchange) },
  { method: 'POST', path: /^\/v1\/documents\/([\w-]+)\/read$/, answer: (parts, exchange, id) => readDocument(parts, id, exchange) },
  { method: 'POST', path: /^\/v1\/documents\/([\w-]+)\/ask$/, answer: (parts, exchange, id) => askDocument(parts, id, exchange) },
];

/** `port` 0: any that is free. @throws `port-in-use`, `port-not-allowed`. */
export async function startApiServer(parts: ApiParts, key: ApiKey, wantedPort: number): Promise<ApiServer> {
  const server = createServer();
  const port = await listenLocally(server, wantedPort);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(parts, key, port, request, response).catch((error: unknown) => answerError(response, error));
  });
  return { port, close: () => closeServer(server) };
}

async function answer(parts: ApiParts, key: ApiKey, port: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  checkAccess(request, port, key);
  const exchange = new Exchange(request, response);
  const { pathname } = exchange.url;
  const known = routes.filter(({ path }) => path.test(pathname));
  const route = known.find(({ method }) => method === request.method);
  if (known.length === 0) throw new ApiError(404, 'not_found', `There is nothing at ${pathname}.`);
  if (!route) throw new ApiError(405, 'method_not_allowed', `${pathname} takes ${known.map(({ method }) => method).join(' or ')}, not ${request.method}.`);
  await route.answer(parts, exchange, decode(route.path.exec(pathname)?.[1] ?? ''));
}

/** Names of models may have spaces. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError(400, 'invalid_request', 'The address is not valid.');
  }
}

function answerError(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  if (response.headersSent) return new EventStream(response).fail(error);
  const { status, body } = toErrorReply(error);
  // The rest of a body that was refused is not read.
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
  response.end(JSON.stringify(body));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
