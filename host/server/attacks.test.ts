/** What a web page in the person's browser, or a program that guesses, may try on the two local servers. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { openSession } from '../testing/webSocketClient.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { servedHost } from '../testing/servedHost.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { startHttpServer } from './httpServer.ts';

const guesses = 300;

async function openBoth() {
  const host = await openTestHostWithModel();
  const rendererFolder = join(temporaryFolder(), 'renderer');
  mkdirSync(rendererFolder);
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html>');
  const server = await startHttpServer(servedHost(host), { port: 0, rendererFolder });
  onTestFinished(() => server.close());
  await host.api.follow({ enabled: true, port: 0 });
  const apiPort = Number(new URL(host.api.status.address ?? '').port);
  return { host, server, apiPort, key: host.api.status.key };
}

interface Answer {
  status: number;
  allowsOrigin: string | string[] | undefined;
}

function send(port: number, path: string, { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, allowsOrigin: response.headers['access-control-allow-origin'] }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const foreignHosts = (port: number) => [
  'evil.example',
  `evil.example:${port}`,
  `127.0.0.1.evil.example:${port}`,
  `localhost.evil.example:${port}`,
  `localhost.:${port}`,
  `127.0.0.1`,
  `127.0.0.1:${port + 1}`,
  `0.0.0.0:${port}`,
  `[::1]:${port}`,
  `127.1:${port}`,
  `127.0.0.1:${port}@evil.example`,
];

test('names that a foreign page gives this machine are not served, with the right cookie and key (DNS rebinding)', async () => {
  const { server, apiPort, key } = await openBoth();
  const cookie = await openSession(server.openUrl());
  for (const host of foreignHosts(server.port)) expect(`${host} ${(await send(server.port, '/', { headers: { host, cookie } })).status}`).toBe(`${host} 403`);
  for (const host of foreignHosts(apiPort)) {
    expect(`${host} ${(await send(apiPort, '/v1/models', { headers: { host, authorization: `Bearer ${key}` } })).status}`).toBe(`${host} 403`);
  }
});

test('a foreign page changes nothing, even if the browser sent the cookie along (CSRF)', async () => {
  const { host, server, apiPort, key } = await openBoth();
  const cookie = await openSession(server.openUrl());
  for (const origin of ['null', 'http://evil.example', `http://127.0.0.1:${server.port + 1}`, `https://127.0.0.1:${server.port}`, 'file://']) {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']) {
      const headers = { cookie, origin, 'content-type': type };
      expect((await send(server.port, '/files?name=a.txt', { method: 'PUT', headers, body: 'text' })).status).toBe(403);
      expect((await send(server.port, '/files?name=a.txt', { method: 'POST', headers, body: 'text' })).status).toBe(405);
      const api = await send(apiPort, '/v1/documents', { method: 'POST', headers: { ...headers, authorization: `Bearer ${key}` }, body: '{"name":"a","text":"b"}' });
      expect(api.status).toBe(403);
    }
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/contract`, { headers: { cookie, origin } });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
  }
  expect(host.documents.list()).toEqual([]);
});

test('no answer tells a browser that another origin may read it', async () => {
  const { server, apiPort, key } = await openBoth();
  const headers = { origin: 'http://evil.example', authorization: `Bearer ${key}`, 'access-control-request-method': 'POST' };
  for (const method of ['GET', 'OPTIONS', 'HEAD']) {
    expect((await send(server.port, '/', { method, headers })).allowsOrigin).toBeUndefined();
    expect((await send(apiPort, '/v1/models', { method, headers })).allowsOrigin).toBeUndefined();
  }
});

test('guessing opens nothing, near misses neither', async () => {
  const { server, apiPort, key } = await openBoth();
  const openKey = new URL(server.openUrl()).searchParams.get('key') ?? '';
  const nearMisses = (secret: string) => ['', secret.slice(0, -1), `${secret}A`, ` ${secret}`, secret.toLowerCase(), secret.toUpperCase(), secret.slice(1), `${secret.slice(0, -1)}!`];
  const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url');
  const tries = [...nearMisses(openKey).filter((guess) => guess !== openKey), ...Array.from({ length: guesses }, random)];
  for (const guess of tries) expect((await send(server.port, `/open?key=${encodeURIComponent(guess)}`)).status).toBe(403);
  const apiTries = [...nearMisses(key).filter((guess) => guess.trim() !== key), ...Array.from({ length: guesses }, () => `ll-${random()}`)];
  for (const guess of apiTries) expect((await send(apiPort, '/v1/models', { headers: { authorization: `Bearer ${guess}` } })).status).toBe(401);
  for (const cookie of [`longleaf-${server.port}=`, `longleaf-${server.port}=${random()}`, `longleaf-${server.port}=true; admin=1`]) {
    expect((await send(server.port, '/', { headers: { cookie } })).status).toBe(401);
  }
  // The real ones still open.
  expect((await send(server.port, `/open?key=${openKey}`)).status).toBe(303);
  expect((await send(apiPort, '/v1/models', { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
});
