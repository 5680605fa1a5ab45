import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { ContractError } from '../contract/client.ts';
import { connectClient } from '../testing/contractClient.ts';
import { openSession } from '../testing/webSocketClient.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel, openTestHost } from '../testing/openTestHost.ts';
import { servedHost } from '../testing/servedHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { startHttpServer } from './httpServer.ts';

async function openServer(withModel = false) {
  const host = await (withModel ? openTestHostWithModel() : openTestHost());
  const root = temporaryFolder();
  const rendererFolder = join(root, 'renderer');
  mkdirSync(join(rendererFolder, 'assets'), { recursive: true });
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html><title>Longleaf</title>');
  writeFileSync(join(rendererFolder, 'assets', 'app-1a2b.js'), 'export {};');
  writeFileSync(join(root, 'secret.txt'), 'secret');
  const server = await startHttpServer(servedHost(host), { port: 0, rendererFolder });
  onTestFinished(() => server.close());
  return { host, server, origin: `http://127.0.0.1:${server.port}` };
}

interface RawResponse {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** `fetch` does not let a test lie about Host, nor send a path with dots. */
function raw(port: number, path: string, options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {}): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers: options.headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

test('the address opens the interface once, for one browser', async () => {
  const { server, origin } = await openServer();
  expect((await raw(server.port, '/')).status).toBe(401);
  const url = server.openUrl();
  const opened = await fetch(url, { redirect: 'manual' });
  expect(opened.status).toBe(303);
  expect(opened.headers.get('location')).toBe('/');
  const setCookie = opened.headers.get('set-cookie') ?? '';
  expect(setCookie).toMatch(new RegExp(`^longleaf-${server.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
  const cookie = setCookie.split(';')[0] ?? '';
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(403);
  expect((await fetch(url, { redirect: 'manual', headers: { cookie } })).status).toBe(303);
  expect((await fetch(`${origin}/open?key=wrong`, { redirect: 'manual' })).status).toBe(403);

  const page = await fetch(`${origin}/`, { headers: { cookie } });
  expect(await page.text()).toContain('<title>Longleaf</title>');
  expect(page.headers.get('cache-control')).toBe('no-store');
  const script = await fetch(`${origin}/assets/app-1a2b.js`, { headers: { cookie } });
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('cache-control')).toContain('immutable');
});

test('pages may only run what the host serves', async () => {
  const { server, origin } = await openServer();
  const { headers } = await fetch(`${origin}/`, { headers: { cookie: await openSession(server.openUrl()) } });
  expect(headers.get('content-security-policy')).toBe(
    `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; ` +
      `connect-src 'self' ws://127.0.0.1:${server.port}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
  );
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('access-control-allow-origin')).toBeNull();
});

test('names that point here from elsewhere, and other sites, are turned away', async () => {
  const { host, server } = await openServer();
  const cookie = await openSession(server.openUrl());
  const refusedHost = await raw(server.port, '/', { headers: { cookie, host: `evil.example:${server.port}` } });
  expect(refusedHost).toMatchObject({ status: 403, body: 'This address is not served.' });
  const upload = (headers: Record<string, string>) => raw(server.port, '/files?name=a.txt', { method: 'PUT', headers, body: Buffer.from('text') });
  expect((await upload({ cookie })).status).toBe(403);
  expect((await upload({ cookie, origin: 'http://evil.example' })).status).toBe(403);
  expect((await upload({ origin: `http://127.0.0.1:${server.port}` })).status).toBe(401);
  expect((await raw(server.port, '/', { method: 'POST', headers: { cookie } })).status).toBe(405);
  expect(readdirSync(host.folder.staging)).toEqual([]);

  const handshake = async (headers: Record<string, string>) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/contract`, { headers });
    const [error] = (await once(socket, 'error')) as [Error];
    return error.message;
  };
  const origin = `http://127.0.0.1:${server.port}`;
  expect(await handshake({ origin })).toContain('403');
  expect(await handshake({ cookie })).toContain('403');
  expect(await handshake({ cookie, origin: 'http://evil.example' })).toContain('403');
  expect(await handshake({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toContain('403');
});

test('nothing outside the interface’s folder is served', async () => {
  const { server } = await openServer();
  const cookie = await openSession(server.openUrl());
  for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/../../secret.txt', '/assets', '/%00', '/%zz', '/..\\secret.txt']) {
    expect(`${path} ${(await raw(server.port, path, { headers: { cookie } })).status}`).toBe(`${path} 404`);
  }
});

test('an upload becomes a document; what is left of it goes', async () => {
  const { host, server, origin } = await openServer();
  const cookie = await openSession(server.openUrl());
  const client = await connectClient(server.port, cookie);
  const put = async (name: string, body: string) => {
    const response = await fetch(`${origin}/files?name=${encodeURIComponent(name)}`, { method: 'PUT', headers: { cookie, origin }, body });
    return (await response.json()) as { fileId: string; name: string };
  };
  const { fileId, name } = await put('../../etc/Mid dle.txt', 'Dorothea');
  expect(name).toBe('Mid dle.txt');
  expect(readdirSync(host.folder.staging).length).toBe(1);
  expect(await client.call('documents.add', { fileId })).toMatchObject({ name: 'Mid dle.txt', characters: 8 });
  expect(readdirSync(host.folder.staging)).toEqual([]);
  expect(await failureOf(() => host.files.use(fileId, async () => {}))).toMatchObject({ message: 'This file is no longer at hand.' });

  const empty = await put('empty.txt', '');
  await expect(client.call('documents.add', { fileId: empty.fileId })).rejects.toMatchObject({ message: '“empty.txt” is empty: there is nothing to read in it.' });
  expect(readdirSync(host.folder.staging)).toEqual([]);
});

test('an upload that is too large is refused, whether it says so or not', async () => {
  const { host, server, origin } = await openServer();
  const cookie = await openSession(server.openUrl());
  const stated = await raw(server.port, '/files?name=big.txt', { method: 'PUT', headers: { cookie, origin, 'content-length': '300000000' } });
  expect(stated.status).toBe(413);
  expect(JSON.parse(stated.body)).toEqual({
    code: 'upload-too-large',
    message: '“big.txt” is 300.0 MB; Longleaf reads documents of up to 256.0 MB.',
    remedy: 'Split it into smaller files.',
  });
  const chunk = Buffer.alloc(8_000_000, 'x');
  const status = await new Promise((resolve) => {
    const request = httpRequest({ host: '127.0.0.1', port: server.port, path: '/files?name=big.txt', method: 'PUT', headers: { cookie, origin } });
    request.on('response', (response) => resolve(response.statusCode));
    // The server may close before everything was sent.
    request.on('error', () => resolve('closed'));
    for (let index = 0; index < 33; index += 1) request.write(chunk);
    request.end();
  });
  expect([413, 'closed']).toContain(status);
  await eventually(() => readdirSync(host.folder.staging).length === 0);
});

test('a port that is in use is refused with what to do', async () => {
  const { host, server } = await openServer();
  expect(await failureOf(() => startHttpServer(servedHost(host), { port: server.port, rendererFolder: '/' }))).toEqual({
    code: 'port-in-use',
    message: `Port ${server.port} on 127.0.0.1 is in use by another program.`,
    remedy: 'Choose another with --port N, or --port 0 for any that is free.',
  });
});

test('the whole way over a WebSocket: ask, stream, reload', async () => {
  const { server } = await openServer(true);
  const cookie = await openSession(server.openUrl());
  const client = await connectClient(server.port, cookie);
  expect(await client.call('app.status', {})).toMatchObject({ worker: { state: 'stopped' }, firstRun: false });
  const { id: conversationId } = await client.call('conversations.create', {});
  let streamed = '';
  client.on('answer.delta', ({ text }) => (streamed += text));
  const done = new Promise((resolve) => client.on('message.changed', (message) => message.state === 'complete' && message.role === 'assistant' && resolve(message)));
  await client.call('chat.send', { conversationId, text: 'count 3' });
  await done;
  expect(streamed).toBe('1 2 3 ');
  const reloaded = await connectClient(server.port, cookie);
  expect((await reloaded.call('conversations.messages', { conversationId })).map(({ text }) => text)).toEqual(['count 3', '1 2 3 ']);
  await expect(client.call('chat.stop', { conversationId: 'not an id!' })).rejects.toBeInstanceOf(ContractError);
  expect(await client.call('app.outbound', {})).toEqual([]);
});

test('a folder is filled file by file and becomes one document; nothing leads out of it', async () => {
  const { host, server } = await openServer();
  const cookie = await openSession(server.openUrl());
  const headers = { cookie, origin: `http://127.0.0.1:${server.port}` };
  const put = (path: string, body = Buffer.from('some text')) => raw(server.port, path, { method: 'PUT', headers, body });
  const { fileId } = JSON.parse((await put('/folders?name=project')).body) as { fileId: string };
  for (const path of ['src/a.ts', 'README.md']) expect((await put(`/files?folder=${fileId}&name=${encodeURIComponent(path)}`)).status).toBe(201);
  for (const path of ['../a', '/etc/a', 'src/../../a', 'a\\..\\b', '']) {
    const refused = await put(`/files?folder=${fileId}&name=${encodeURIComponent(path)}`);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'bad-request', message: `The path “${path}” leads out of the folder that is being added.` });
  }
  expect(JSON.parse((await put('/files?folder=unknown&name=a')).body)).toMatchObject({ code: 'file-not-found' });
  const added = await host.handlers['documents.add']({ fileId });
  expect(added).toMatchObject({ name: 'project', format: 'folder', unit: 'file', pages: 2 });
  expect(readdirSync(host.folder.staging)).toEqual([]);
});
