import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { startHubServer } from '../testing/hubServer.ts';
import { openManager, tinyDigest as digest, tinyFile as file } from '../testing/openManager.ts';
import { type OpenPart, openPartOnDisk } from './partHandle.ts';

/** The file's ranges, as they are asked for. */
const last = file.length - 1;
const all = `bytes=0-${last}`;

test('a model is fetched through redirects, verified and listed', async () => {
  const server = await startHubServer(file);
  const { download, models, folder, outbound, reports } = openManager({ endpoint: server.endpoint, hub: { token: () => Promise.resolve('hf_secret') } });
  expect(await download()).toMatchObject({ state: 'done', modelId: 'tiny', doneBytes: file.length, failure: null });
  expect(models.list()).toMatchObject([{ id: 'tiny', name: 'Tiny', state: 'ready', sha256: digest, licence: { name: 'MIT' } }]);
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(readdirSync(folder.models)).toEqual(['tiny.gguf']);
  expect([...new Set(reports.map(({ state }) => state))]).toEqual(['starting', 'downloading', 'verifying', 'done']);
  expect(server.requests).toEqual([`hub GET /someone/tiny/resolve/main/tiny%20model.gguf ${all}`, `storage GET ${all}`]);
  // The token stays with the hub, signatures stay out of the log.
  expect(server.leakedTokens).toEqual([]);
  expect(outbound.list().map(({ address, outcome }) => `${new URL(address).pathname} ${outcome}`)).toEqual([
    `/${digest} status 206`,
    '/someone/tiny/resolve/main/tiny%20model.gguf status 302',
  ]);
});

test('a dying connection is continued where it stopped', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, times: 3 });
  const { download, models } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(server.requests.filter((request) => request.startsWith('storage'))).toEqual([
    `storage GET ${all}`,
    `storage GET bytes=20000-${last}`,
    `storage GET bytes=40000-${last}`,
    `storage GET bytes=60000-${last}`,
  ]);
});

test('a stalled connection is noticed and continued', async () => {
  const server = await startHubServer(file, { stallAfterBytes: 30_000 });
  const { download } = openManager({ endpoint: server.endpoint, hub: { stallTimeoutMs: 300 } });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.at(-1)).toBe(`storage GET bytes=30000-${last}`);
});

test('a server without ranges is read from the start again', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, times: 1, ignoreRanges: true });
  const { download, models } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
});

test('a wrong Content-Range never gets into the file', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, times: 1, contentRange: 'bytes 5-9/10' });
  const { download, models } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
});

test('a busy server is asked again after a pause', async () => {
  const server = await startHubServer(file, { refuse: { status: 503, headers: { 'retry-after': '0' } }, refuseTimes: 2 });
  const { download } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.filter((request) => request.startsWith('hub')).length).toBe(3);
});

const remedy = 'Check the network connection and try again, or import a GGUF file by hand.';

test('a wrong checksum is refused and nothing is listed or kept', async () => {
  const wrong = Buffer.from(file);
  wrong[wrong.length - 1] ^= 1;
  const wrongDigest = createHash('sha256').update(wrong).digest('hex');
  const server = await startHubServer(file, { content: wrong });
  const { download, models, folder } = openManager({ endpoint: server.endpoint });
  const { state, failure } = await download();
  expect(state).toBe('failed');
  expect(failure).toEqual({
    code: 'checksum-mismatch',
    message: `Tiny could not be downloaded (${new URL(server.endpoint).host}: the file's SHA-256 is ${wrongDigest}, not ${digest}).`,
    remedy,
  });
  expect(models.list()).toEqual([]);
  expect(readdirSync(folder.models)).toEqual([]);
});

test('another file at the same address is refused before it is fetched', async () => {
  const server = await startHubServer(file);
  const { download } = openManager({ endpoint: server.endpoint, entry: { sha256: 'a'.repeat(64) } });
  expect((await download()).failure).toEqual({
    code: 'checksum-mismatch',
    message: `Tiny could not be downloaded (${new URL(server.endpoint).host}: it holds a file with the SHA-256 ${digest}, not ${'a'.repeat(64)}).`,
    remedy,
  });
  expect(server.requests.length).toBe(1);
});

test.each([
  ['no such file', { refuse: { status: 404 } }, 'the file is not there (404)'],
  ['a private repository', { refuse: { status: 401, headers: { 'x-error-code': 'RepoNotFound' } } }, 'there is no such repository, or it is private (401)'],
  ['a gated repository', { refuse: { status: 403, headers: { 'x-error-code': 'GatedRepo' } } }, 'the file is there only for those who accepted its terms (403)'],
  ['a broken server', { refuse: { status: 500 } }, 'it answered 500'],
  ['endless redirects', { redirectForever: true }, 'it redirected more than 10 times'],
  ['a silent server', { silent: true }, 'nothing came for 1 s'],
  ['dying connections', { dieAfterBytes: 0 }, /^(terminated|other side closed|.*the connection ended.*)$/],
  ['a truncated file', { content: file.subarray(0, 1000) }, `it holds a file of 1000 bytes, not ${file.length}`],
  ['a longer file', { content: Buffer.concat([file, file]), withoutIdentity: true }, `it holds a file of ${file.length * 2} bytes, not ${file.length}`],
])('what a source said is passed on: %s', async (_name, faults, said) => {
  const server = await startHubServer(file, faults);
  const { download, models } = openManager({ endpoint: server.endpoint, hub: { firstByteTimeoutMs: 1000, firstRetryPauseMs: 1 } });
  const { failure } = await download();
  const [, reason = ''] = /^Tiny could not be downloaded \(localhost:\d+: (.*)\)\.$/.exec(failure?.message ?? '') ?? [];
  if (typeof said === 'string') expect(reason).toBe(said);
  else expect(reason).toMatch(said);
  expect(failure?.remedy).toBe(_name === 'a gated repository' ? `Accept them at ${server.endpoint}/someone/tiny, then give Longleaf an access token of your account.` : remedy);
  expect(models.list()).toEqual([]);
});

test('a hub that cannot be reached says so', async () => {
  const server = await startHubServer(file);
  await server.close();
  const { download } = openManager({ endpoint: server.endpoint });
  const { host, port } = new URL(server.endpoint);
  const { code, message, remedy: whatToDo } = (await download()).failure ?? {};
  expect({ code, remedy: whatToDo }).toEqual({ code: 'download-failed', remedy });
  // The name may stand for an address of each kind.
  const addresses = ['127.0.0.1', '::1'].map((address) => `connect ECONNREFUSED ${address}:${port}`);
  expect(addresses.map((reason) => `Tiny could not be downloaded (${host}: ${reason}).`)).toContain(message);
});

test('a stopped download is kept and continued by the next', async () => {
  const server = await startHubServer(file, { stallAfterBytes: 50_000 });
  const { manager, download, reports } = openManager({ endpoint: server.endpoint });
  const { id } = manager.start('tiny');
  expect(manager.start('tiny').id).toBe(id);
  await eventually(() => server.requests.length === 2);
  await eventually(() => reports.at(-1)?.state === 'downloading');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await manager.pause(id);
  expect(manager.list()[0]?.state).toBe('paused');
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.at(-1)).toBe(`storage GET bytes=50000-${last}`);
});

test('a disk that becomes full is a named failure; what was fetched is kept and continued', async () => {
  const server = await startHubServer(file);
  let room = 40_000;
  const openPart: OpenPart = async (path) => {
    const handle = await openPartOnDisk(path);
    return {
      read: (bytes, offset, length, position) => handle.read(bytes, offset, length, position),
      write: (bytes, offset, length, position) => {
        if (position + length > room) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return handle.write(bytes, offset, length, position);
      },
      truncate: (length) => handle.truncate(length),
      sync: () => handle.sync(),
      close: () => handle.close(),
      stat: () => handle.stat(),
    };
  };
  const { download, models, folder } = openManager({ endpoint: server.endpoint, openPart });
  const { failure, state } = await download();
  expect(state).toBe('failed');
  expect(failure?.code).toBe('disk-full');
  expect(failure?.message).toMatch(/^The disk became full while downloading; \d+(\.\d)? (bytes|kB) are kept\.$/);
  expect(failure?.remedy).toBe('Free some space and start the download again: it goes on where it stopped.');
  expect(models.list()).toEqual([]);
  expect(readdirSync(folder.models)).toEqual([`${digest}.hub.part`, `${digest}.hub.part.journal`]);
  room = Infinity;
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
});

test('a download that cannot fit is refused before it begins', async () => {
  const server = await startHubServer(file);
  const { download } = openManager({ endpoint: server.endpoint, entry: { sizeBytes: 1e15 } });
  const { failure } = await download();
  expect(failure?.code).toBe('disk-full');
  expect(failure?.message).toMatch(/^Tiny needs 1050\.0 TB more, but only .* are free in Longleaf's data folder\.$/);
  expect(server.requests).toEqual([]);
});

test('offline, nothing goes out', async () => {
  const server = await startHubServer(file);
  const { download, state } = openManager({ endpoint: server.endpoint });
  state.offline = true;
  expect(await failureOf(download)).toEqual({
    code: 'offline',
    message: 'Longleaf is set to stay offline.',
    remedy: 'Turn offline mode off in the settings, or import a GGUF file by hand.',
  });
  expect(server.requests).toEqual([]);
});
