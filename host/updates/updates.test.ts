/** Updates from a real server: what a feed may say, and what a person gets. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHostWithModel } from '../testing/openTestHost.ts';
import { appVersion } from '../locations.ts';
import { compareVersions, configuredFeed } from './updateFeed.ts';

const installer = Buffer.from('an installer');
const keys = generateKeyPairSync('ed25519');
const others = generateKeyPairSync('ed25519');
const nothingChanged = 'Nothing was changed. Get Longleaf from where you got it first, and tell its publisher.';

function releaseOf(version: string, changes: object = {}) {
  const file = { platform: `${process.platform}-${process.arch}`, name: 'Longleaf.AppImage', sizeBytes: installer.length, sha256: createHash('sha256').update(installer).digest('hex') };
  return { format: 1, version, notes: 'Reads faster.', files: [{ ...file, ...changes }] };
}

function signedFeed(release: object, key = keys.privateKey): string {
  const payload = Buffer.from(JSON.stringify(release));
  return JSON.stringify({ payload: payload.toString('base64'), signature: sign(null, payload, key).toString('base64') });
}

/** A host whose feed says `feed`. */
async function prepare(feed: string, installerSent = installer) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/feed.json') response.end(feed);
    else if (request.url === '/Longleaf.AppImage') response.end(installerSent);
    else response.writeHead(404).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const host = await openTestHostWithModel({ updateFeed: configuredFeed({ feed: `http://127.0.0.1:${port}/feed.json`, publicKey }) });
  return { host, requests, folder: join(host.folder.root, 'updates') };
}

test('without a feed nothing is asked', async () => {
  expect(configuredFeed()).toBeNull();
  const host = await openTestHostWithModel();
  expect(await host.handlers['updates.configured']({})).toEqual({ configured: false });
  expect(await host.handlers['updates.check']({})).toEqual({ kind: 'off' });
  expect((await failureOf(() => host.handlers['updates.fetch']({}))).code).toBe('bad-request');
  expect(host.outbound.list()).toEqual([]);
});

test('a newer version is shown, and its installer fetched after a copy of the database', async () => {
  const { host, folder } = await prepare(signedFeed(releaseOf('999.0.0')));
  expect(await host.handlers['updates.check']({})).toEqual({ kind: 'available', version: '999.0.0', notes: 'Reads faster.', sizeBytes: installer.length });
  expect(readdirSync(host.folder.backups)).toEqual([]);
  const { version, path } = await host.handlers['updates.fetch']({});
  expect(version).toBe('999.0.0');
  expect(dirname(path)).toBe(folder);
  expect(readFileSync(path)).toEqual(installer);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(host.folder.backups)).toHaveLength(1);
  expect(host.outbound.list().map(({ purpose }) => purpose)).toEqual(['fetch an update', 'look for an update', 'look for an update']);
});

test('this version is the newest', async () => {
  const { host } = await prepare(signedFeed(releaseOf(appVersion())));
  expect(await host.handlers['updates.check']({})).toEqual({ kind: 'current', version: appVersion() });
  expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0);
});

test.each([
  ['a foreign signature', signedFeed(releaseOf('999.0.0'), others.privateKey), 'The update was refused: its signature is not the publisher’s.'],
  ['an older version', signedFeed(releaseOf('0.0.1')), `The update was refused: version 0.0.1 is older than this one, ${appVersion()}.`],
  ['no feed', '<html>', 'The update was refused: its feed is not one of Longleaf.'],
  ['a feed without end', ' '.repeat(200_000), 'The update was refused: its feed is too long.'],
  ['a name that leads away', signedFeed(releaseOf('999.0.0', { name: '../evil' })), 'The update was refused: it is described in a way that this version does not know.'],
])('%s is refused', async (_, feed, message) => {
  const { host } = await prepare(feed);
  expect(await failureOf(() => host.handlers['updates.check']({}))).toEqual({ code: 'update-refused', message, remedy: nothingChanged });
});

test('a payload that was changed after it was signed is refused', async () => {
  const { signature } = JSON.parse(signedFeed(releaseOf('999.0.0'))) as { signature: string };
  const { host } = await prepare(JSON.stringify({ payload: Buffer.from(JSON.stringify(releaseOf('999.0.1'))).toString('base64'), signature }));
  expect((await failureOf(() => host.handlers['updates.check']({}))).message).toContain('its signature is not the publisher’s');
});

test.each([
  ['another installer', Buffer.from('AN INSTALLER'), 'its installer is not the one that the publisher signed'],
  ['a longer one', Buffer.alloc(100_000), 'its installer is longer than the publisher said'],
  ['a shorter one', Buffer.from('an'), 'its installer is not the one that the publisher signed'],
])('%s than was signed is refused, and nothing of it stays', async (_, sent, why) => {
  const { host, folder } = await prepare(signedFeed(releaseOf('999.0.0')), sent);
  expect((await failureOf(() => host.handlers['updates.fetch']({}))).message).toBe(`The update was refused: ${why}.`);
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
});

test('a machine without an installer of its own is told so', async () => {
  const { host } = await prepare(signedFeed(releaseOf('999.0.0', { platform: 'amiga-m68k' })));
  expect((await failureOf(() => host.handlers['updates.check']({}))).message).toMatch(/^There is no version 999\.0\.0 for this kind of machine/);
});

test('offline, and while an answer is written, nobody is asked', async () => {
  const { host, requests } = await prepare(signedFeed(releaseOf('999.0.0')));
  await host.handlers['settings.update']({ offline: true });
  expect((await failureOf(() => host.handlers['updates.check']({}))).code).toBe('offline');
  await host.handlers['settings.update']({ offline: false });
  const { id: conversationId } = await host.handlers['conversations.create']({ modelId: host.models.list()[0]?.id ?? '' });
  await host.handlers['chat.send']({ conversationId, text: 'count 500' });
  await eventually(() => host.chat.running > 0);
  expect(await failureOf(() => host.handlers['updates.check']({}))).toEqual({ code: 'answer-running', message: 'An answer is being written.', remedy: 'Look for updates when it is done.' });
  expect((await failureOf(() => host.handlers['updates.fetch']({}))).code).toBe('answer-running');
  expect(requests).toEqual([]);
});

test('a server that is not there is named', async () => {
  const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const host = await openTestHostWithModel({ updateFeed: configuredFeed({ feed: 'http://127.0.0.1:9/feed.json', publicKey }) });
  expect(await failureOf(() => host.handlers['updates.check']({}))).toMatchObject({ code: 'update-unreachable', remedy: 'Check the network connection and try again.' });
});
