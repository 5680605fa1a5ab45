/**
 * The interface in a browser: pages, uploads and the contract, on 127.0.0.1 and for this user's own
 * browser only.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { HostConnection } from '../contractServer.ts';
import { toFailure } from '../errors.ts';
import type { Host } from '../host.ts';
import { listenLocally } from './listen.ts';
import { ServerSession } from './session.ts';
import { securityHeaders, serveStatic } from './staticFiles.ts';
import { openUploadedFolder, receiveIntoFolder } from './folderUploads.ts';
import { receiveUpload } from './uploads.ts';
import { webSocketConnection } from './webSocketConnection.ts';

export interface HttpServer {
  readonly port: number;
  /** A new URL that opens the interface once. */
  openUrl(): string;
  close(): Promise<void>;
}

/** Whoever answers the windows; `current` throws while there is no host. */
export interface ServedHost {
  current(): Pick<Host, 'folder' | 'files'>;
  connect(connection: HostConnection): void;
}

export interface HttpServerOptions {
  /** 0: any free port. */
  port: number;
  rendererFolder: string;
}

/** Long enough for a pasted text of fifty million characters. */
const maximumMessageBytes = 256 * 1024 * 1024;

export async function startHttpServer(hosts: ServedHost, options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer();
  const port = await listenLocally(server, options.port);
  const session = new ServerSession(port);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maximumMessageBytes, perMessageDeflate: false });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    handle(hosts, options.rendererFolder, session, request, response).catch((error: unknown) => answerFailure(response, error));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const allowed = session.isLocal(request) && session.isSameOrigin(request) && session.isKnown(request);
    if (!allowed || new URL(request.url ?? '/', 'http://local').pathname !== '/contract') {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      hosts.connect(webSocketConnection(webSocket));
    });
  });

  return {
    port,
    openUrl: () => `http://127.0.0.1:${port}/open?key=${session.createKey()}`,
    close: () =>
      new Promise((resolve) => {
        for (const webSocket of sockets.clients) webSocket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  hosts: ServedHost,
  rendererFolder: string,
  session: ServerSession,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!session.isLocal(request)) return refuse(response, 403, 'This address is not served.');
  for (const [name, value] of Object.entries(securityHeaders(request.headers.host ?? ''))) response.setHeader(name, value);
  const url = new URL(request.url ?? '/', 'http://local');

  if (url.pathname === '/open' && request.method === 'GET') {
    const cookie = session.redeem(url.searchParams.get('key') ?? '');
    // Opened a second time by the browser that has the cookie already, it simply leads home.
    if (!cookie && !session.isKnown(request)) return refuse(response, 403, usedUp);
    response.writeHead(303, { location: '/', 'cache-control': 'no-store', ...(cookie && { 'set-cookie': cookie }) });
    response.end();
    return;
  }
  if (!session.isKnown(request)) return refuse(response, 401, usedUp);
  if ((url.pathname === '/files' || url.pathname === '/folders') && request.method === 'PUT') {
    if (!session.isSameOrigin(request)) return refuse(response, 403, 'Uploads come from the interface only.');
    const { files, folder } = hosts.current();
    const name = url.searchParams.get('name') ?? '';
    const folderId = url.searchParams.get('folder');
    const uploaded = await (url.pathname === '/folders'
      ? openUploadedFolder(name, folder.staging, files)
      : folderId === null
        ? receiveUpload(request, name, folder.staging, files)
        : receiveIntoFolder(request, folderId, name, files));
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(JSON.stringify(uploaded));
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Not allowed.');
  await serveStatic(rendererFolder, url.pathname, request.method === 'HEAD', response);
}

const usedUp = 'Open Longleaf with the address it printed in the terminal; each address works once. Restart "longleaf serve" for a new one.';

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(text);
}

/** Uploads fail as the contract does: with the failure as data. */
function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const failure = toFailure(error);
  response.writeHead(failure.code === 'upload-too-large' ? 413 : 500, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(failure));
}
