/**
 * A stand-in for the host, for screenshots and component work only: speaks the contract with made-up
 * data. `node renderer/testing/fakeHost.ts [--port N] [--first-run] [--no-adapter] [--folder BUILT]`, then open
 * http://127.0.0.1:N. It serves the built interface under a stricter policy than the real host's, and
 * obeys words in the question: “slow”, “fail”, “long”.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { callEnvelope } from '../../host/contract/wire.ts';
import { FakeContract } from './fakeContract.ts';

const argument = (name: string) => process.argv.includes(name);
const port = Number(process.argv[process.argv.indexOf('--port') + 1]) || 5199;
const folder = argument('--folder') ? process.argv[process.argv.indexOf('--folder') + 1] : fileURLToPath(new URL('../../dist/renderer/', import.meta.url));
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

const sockets = new Set<WebSocket>();
const contract = new FakeContract({
  firstRun: argument('--first-run'),
  noAdapter: argument('--no-adapter'),
  emit: (name, payload) => {
    for (const socket of sockets) socket.send(JSON.stringify({ kind: 'event', name, payload }));
  },
});

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://local');
  if (request.method === 'PUT' && url.pathname === '/files') {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const name = url.searchParams.get('name') ?? 'file';
      response.end(JSON.stringify({ fileId: contract.upload(name, Buffer.concat(parts)), name }));
    });
    return;
  }
  if (url.pathname === '/fake/drop-connections') {
    for (const socket of sockets) socket.terminate();
    response.end();
    return;
  }
  if (url.pathname === '/fake/worker') {
    contract.setWorker(url.searchParams.get('state') ?? 'ready');
    response.end();
    return;
  }
  const path = normalize(join(folder, url.pathname === '/' ? 'index.html' : url.pathname));
  if (!path.startsWith(folder) || !existsSync(path) || !statSync(path).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream', 'content-security-policy': policy });
  if (extname(path) === '.html') response.end(readFileSync(path));
  else createReadStream(path).pipe(response);
});

new WebSocketServer({ server, path: '/contract', maxPayload: 256 * 1024 * 1024 }).on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('message', (data) => {
    const { id, method, params } = callEnvelope.parse(JSON.parse(String(data)));
    contract.call(method, params).then(
      (value) => socket.send(JSON.stringify({ kind: 'result', id, value })),
      (failure: unknown) => socket.send(JSON.stringify({ kind: 'failure', id, failure })),
    );
  });
});

server.listen(port, '127.0.0.1', () => console.error(`The stand-in host is at http://127.0.0.1:${port}`));
