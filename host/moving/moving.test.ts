import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { ContractClient } from '../contract/client.ts';
import type { HostConnection } from '../contractServer.ts';
import { openHost } from '../host.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { arrivingName, leadsToName, leavingName } from '../storage/movedFolder.ts';
import { eventually } from '../testing/eventually.ts';
import { failureOf } from '../testing/failureOf.ts';
import { writeTinyModel } from '../testing/openTestHost.ts';
import { scriptedWorkerPath } from '../testing/scriptedWorkerPath.ts';
import { smallFileSystem } from '../testing/smallFileSystem.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { discardCopy, moveDataFolder } from './moveDataFolder.ts';
import { typedPath } from '../typedPath.ts';
import { planMove } from './moveTarget.ts';
import { MovingHost } from './movingHost.ts';

const worker = { entry: scriptedWorkerPath, firstPauseMs: 20 };

/** A data folder with a model, a document and a chat; and a file that is not Longleaf's. */
async function fill(root: string): Promise<void> {
  const host = await openHost({ dataFolder: root, worker });
  const model = await host.models.importFile(await writeTinyModel(temporaryFolder()), 'tiny.gguf', 'copy');
  const document = await host.documents.addText('letter.txt', 'Dear reader, this came along.');
  host.conversations.create({ title: 'Kept', documentIds: [document.id], modelId: model.id }, { systemPrompt: '', sampling: host.settings.read().defaultSampling });
  await host.close();
  writeFileSync(join(root, 'somebody else’s.txt'), 'stays');
}

/** What `fill` put there, found at the place that `root` leads to. */
async function expectWhole(root: string): Promise<string> {
  const host = await openHost({ dataFolder: root, worker });
  try {
    const [model] = host.models.list();
    expect(model?.state).toBe('ready');
    expect(await host.models.verify(model?.id ?? '')).toMatchObject({ ok: true });
    const [document] = host.documents.list();
    expect((await host.documents.text(document?.id ?? '', 0, 100)).text).toBe('Dear reader, this came along.');
    expect(host.conversations.titles()).toEqual(['Kept']);
    return host.folder.root;
  } finally {
    await host.close();
  }
}

function openWindow(hosts: MovingHost): { client: ContractClient; closed: Promise<void> } {
  const closing = Promise.withResolvers<void>();
  const fromHost: ((message: unknown) => void)[] = [];
  const toHost: ((message: unknown) => void)[] = [];
  const connection: HostConnection = {
    send: (message) => queueMicrotask(() => fromHost.forEach((listener) => listener(message))),
    onMessage: (listener) => toHost.push(listener),
    onClose: (listener) => void closing.promise.then(listener),
    close: () => closing.resolve(),
    bufferedBytes: () => 0,
  };
  hosts.connect(connection);
  const client = new ContractClient({
    send: (message) => toHost.forEach((listener) => listener(JSON.parse(JSON.stringify(message)))),
    onMessage: (listener) => fromHost.push(listener),
    onClose: (listener) => void closing.promise.then(listener),
    close: () => closing.resolve(),
  });
  return { client, closed: closing.promise };
}

async function openMoving(dataFolder: string, environment?: Record<string, string>): Promise<MovingHost> {
  const hosts = await MovingHost.open({ dataFolder, takesPaths: true, worker: { ...worker, ...(environment && { environment }) } });
  onTestFinished(() => hosts.close());
  hosts.begin();
  return hosts;
}

const namesIn = (folder: string) => readdirSync(folder).sort();

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

test('on the same drive everything is there at once under the new name, windows connect again, and the old place leads there', async () => {
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  const hosts = await openMoving(root);
  const { client, closed } = openWindow(hosts);
  const phases = new Set<string>();
  client.on('dataFolder.changed', ({ move }) => void (move && phases.add(move.phase)));
  const to = join(temporaryFolder(), 'elsewhere', 'Longleaf');
  const plan = await client.call('dataFolder.plan', { to: { path: to } });
  expect(plan).toMatchObject({ path: to, sameDrive: true, jobs: 0 });
  expect(existsSync(to)).toBe(false);
  expect((await client.call('dataFolder.move', { to: { path: to }, stopJobs: false })).path).toBeNull();
  await expect(client.call('documents.list', {})).rejects.toMatchObject({ failure: { code: 'data-folder-moving' } });
  await closed;
  expect([...phases]).toEqual(['stopping', 'copying', 'opening']);
  const again = openWindow(hosts).client;
  expect(await again.call('dataFolder.status', {})).toMatchObject({ path: to, move: null, last: { path: to, failure: null }, unfinished: null });
  expect((await again.call('documents.list', {})).map(({ name }) => name)).toEqual(['letter.txt']);
  await eventually(() => !existsSync(join(root, leavingName)) && !existsSync(join(to, arrivingName)));
  expect(namesIn(root)).toEqual([leadsToName, 'somebody else’s.txt']);
  for (const name of namesIn(to)) expect((statSync(join(to, name)).mode & 0o077).toString(8), name).toBe('0');
  await hosts.close();
  expect(await expectWhole(root)).toBe(to);
});

test('to another drive it is copied, read again, and back again; holes stay holes', async (context) => {
  const drive = smallFileSystem(context, 100_000);
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  // As a download that has begun: far longer than the drive is large.
  const part = join(root, 'models', 'large.gguf.hole');
  writeFileSync(part, 'beginning');
  truncateSync(part, 150_000_000);
  const digest = await digestOf(part);
  const hosts = await openMoving(root);
  const there = openWindow(hosts);
  expect(await there.client.call('dataFolder.plan', { to: { path: drive } })).toMatchObject({ path: drive, sameDrive: false });
  await there.client.call('dataFolder.move', { to: { path: drive }, stopJobs: false });
  await there.closed;
  expect(await digestOf(join(drive, 'models', 'large.gguf.hole'))).toBe(digest);
  await eventually(() => !existsSync(part));
  const back = openWindow(hosts);
  await back.client.call('dataFolder.move', { to: { path: root }, stopJobs: false });
  await back.closed;
  await eventually(() => namesIn(drive).length === 0);
  expect(await digestOf(part)).toBe(digest);
  await hosts.close();
  expect(await expectWhole(root)).toBe(root);
  expect(existsSync(join(root, leadsToName))).toBe(false);
}, 60_000);

test('too little room is said before anything happens; a disk that fills up on the way changes nothing', async (context) => {
  const drive = smallFileSystem(context, 600);
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  writeFileSync(join(root, 'models', 'other.gguf.part'), Buffer.alloc(2_000_000, 7));
  const planned = await failureOf(() => planMove(root, drive));
  expect(planned.code).toBe('disk-full');
  expect(planned.message).toMatch(/^The data folder needs \d.* but only \d.* are free at /);
  const failed = await failureOf(() => moveDataFolder(openDataFolder(root), drive, { signal: new AbortController().signal, onProgress: () => undefined }));
  expect(failed).toMatchObject({ code: 'disk-full', remedy: 'Free some space there, or choose another drive. Everything is still where it was.' });
  expect(namesIn(drive)).toEqual([]);
  expect(existsSync(join(root, leavingName))).toBe(false);
  expect(await expectWhole(root)).toBe(root);
});

test('a drive that can only be read is refused, and so is every place that would not do', async (context) => {
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  const refused = async (to: string) => (await failureOf(() => planMove(root, to))).message;
  const other = temporaryFolder();
  writeFileSync(join(other, 'file'), '');
  mkdirSync(join(other, 'full', 'Longleaf', 'things'), { recursive: true });
  expect(await refused(root)).toBe(`The data folder is ${root} already.`);
  expect(await refused(join(root, 'models', 'inside'))).toMatch(/lies inside the data folder itself\.$/);
  expect(await refused(join(other, 'file'))).toMatch(/is a file\.$/);
  expect(await refused(join(other, 'full'))).toMatch(/full\/Longleaf has other things in it\.$/);
  // Beside other things it takes a folder of its own.
  expect((await planMove(root, other)).path).toBe(join(other, 'Longleaf'));
  if (process.platform === 'linux') expect(await refused('/proc/longleaf/data')).toBe('Longleaf cannot write to /proc/longleaf/data (ENOENT).');
  expect(() => typedPath('Documents')).toThrow('“Documents” is not a whole path.');
  const drive = smallFileSystem(context, 600);
  expect(spawnSync('mount', ['-o', 'remount,ro', drive]).status).toBe(0);
  expect(await refused(drive)).toBe(`Longleaf cannot write to ${drive} (EROFS).`);
  expect(await expectWhole(root)).toBe(root);
});

test('what is under way is asked about, stopped, and goes on afterwards', async () => {
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  const hosts = await openMoving(root, { SCRIPTED_CHUNK_MS: '200' });
  const { client, closed } = openWindow(hosts);
  const [document] = await client.call('documents.list', {});
  const [model] = await client.call('models.list', {});
  await client.call('readings.start', { documentId: document?.id ?? '', modelId: model?.id ?? '' });
  const to = { path: join(temporaryFolder(), 'new') };
  expect((await client.call('dataFolder.plan', { to })).jobs).toBe(1);
  await expect(client.call('dataFolder.move', { to, stopJobs: false })).rejects.toMatchObject({ failure: { code: 'data-folder-busy', message: 'Something is under way that uses the data folder (1 in all).' } });
  await client.call('dataFolder.move', { to, stopJobs: true });
  await closed;
  const again = openWindow(hosts).client;
  await eventually(async () => (await again.call('readings.list', {})).some(({ state }) => state === 'done') || undefined, 20_000);
});

test('stopped by the person, everything is where it was', async (context) => {
  const drive = smallFileSystem(context, 120_000);
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  writeFileSync(join(root, 'models', 'other.gguf.part'), Buffer.alloc(20_000_000, 7));
  const hosts = await openMoving(root);
  const { client, closed } = openWindow(hosts);
  client.on('dataFolder.changed', ({ move }) => void (move?.phase === 'copying' && client.call('dataFolder.cancel', {}).catch(() => undefined)));
  await client.call('dataFolder.move', { to: { path: drive }, stopJobs: false });
  await closed;
  expect(await openWindow(hosts).client.call('dataFolder.status', {})).toMatchObject({ path: root, last: null, unfinished: null });
  expect(namesIn(drive)).toEqual([]);
  await hosts.close();
  expect(await expectWhole(root)).toBe(root);
});

test('killed at any moment, one of the two folders is whole and is the one that opens; the move can go on or be undone', async (context) => {
  const drive = smallFileSystem(context, 200_000);
  const root = join(temporaryFolder(), 'data');
  await fill(root);
  writeFileSync(join(root, 'models', 'other.gguf.part'), Buffer.alloc(30_000_000, 7));
  const program = fileURLToPath(new URL('../testing/movingProcess.ts', import.meta.url));
  const killWhen = async (isTime: (line: string) => boolean): Promise<void> => {
    const child = spawn(process.execPath, [program, root, drive], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', (line) => isTime(line) && child.kill('SIGKILL'));
    await once(child, 'exit');
  };
  for (const share of [0.01, 0.4, 0.9]) {
    await killWhen((line) => Number(line) >= share);
    expect(readFileSync(join(root, leavingName), 'utf8')).toContain(drive);
    expect((await failureOf(() => openDataFolder(drive))).code).toBe('data-folder-incomplete');
    expect(await expectWhole(root)).toBe(root);
  }
  // Undone once; begun again, it goes on from what is there.
  await discardCopy(root);
  expect(namesIn(drive)).toEqual([]);
  await killWhen((line) => Number(line) >= 0.9);
  await killWhen((line) => line === 'switched');
  const hosts = await openMoving(root);
  expect(hosts.current().folder.root).toBe(drive);
  await eventually(() => !existsSync(join(root, 'models')) && !existsSync(join(drive, arrivingName)));
  expect(namesIn(root)).toEqual([leadsToName, 'somebody else’s.txt']);
  await hosts.close();
  expect(await expectWhole(root)).toBe(drive);
}, 60_000);

test('a drive that is not there is named, with the note that leads to it', async () => {
  const root = join(temporaryFolder(), 'data');
  mkdirSync(root);
  writeFileSync(join(root, leadsToName), JSON.stringify({ movedTo: '/nowhere/Longleaf' }));
  const failure = await failureOf(() => openDataFolder(root));
  expect(failure).toMatchObject({ code: 'data-folder-missing', message: 'The data folder was moved to /nowhere/Longleaf, which is not there now.' });
  expect(failure.remedy).toContain(join(root, leadsToName));
});
