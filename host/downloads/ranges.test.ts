/** What is new with several ranges at a time: sharing, limits, proxies, and going on after an end of any kind. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { eventually } from '../testing/eventually.ts';
import { type HubFaults, startHubServer } from '../testing/hubServer.ts';
import { openManager } from '../testing/openManager.ts';
import { startProxy } from '../testing/proxyServer.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';

/** Long enough for several pieces. */
const file = Buffer.from(tinyModel({ architecture: 'llama', layers: 1, hiddenSize: 256, width: 6144, types: ['F32'] }));
const sha256 = createHash('sha256').update(file).digest('hex');
const entry = { sha256, sizeBytes: file.length };

async function open(faults: HubFaults = {}, options: Partial<Parameters<typeof openManager>[0]> = {}) {
  const server = await startHubServer(file, faults);
  return { server, ...openManager({ endpoint: server.endpoint, entry, ...options }) };
}
const bytesAsked = (requests: readonly string[]) =>
  requests.flatMap((request) => {
    const [, start, end] = /^storage GET bytes=(\d+)-(\d+)$/.exec(request) ?? [];
    return start === undefined ? [] : [Number(end) - Number(start) + 1];
  });

test('several ranges come at a time, each once, and the hub is asked once where they are', async () => {
  const { server, download, models } = await open();
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
  const asked = bytesAsked(server.requests);
  expect(asked.length).toBeGreaterThan(4);
  expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBe(file.length);
  expect(server.requests.filter((request) => request.startsWith('hub'))).toHaveLength(1);
});

test('an address that expired is asked for again, and nothing is fetched twice', async () => {
  const { server, download } = await open({ storage: [undefined, undefined, { status: 403 }, undefined] });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.filter((request) => request.startsWith('hub')).length).toBeGreaterThan(1);
  expect(server.sentBytes()).toBe(file.length);
});

test('a rate limit is waited for as long as it says, and the person is told', async () => {
  const { download, reports } = await open({ refuse: { status: 429, headers: { ratelimit: '"resolvers";r=0;t=1' } }, refuseTimes: 1 });
  const startedAt = performance.now();
  expect(await download()).toMatchObject({ state: 'done' });
  expect(performance.now() - startedAt).toBeGreaterThan(990);
  expect(reports.find(({ state }) => state === 'waiting')?.waiting?.reason).toBe('it was asked too often (429) and asks to wait 1 s');
});

test('an answer with another etag is refused; when the hub says that it is the same file, what was fetched is kept', async () => {
  const other = { etag: '"moved"' };
  const { server, download } = await open({ storage: [undefined, ...Array.from({ length: 40 }, () => other)] });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(server.requests.filter((request) => request.startsWith('storage')).length).toBeGreaterThan(6);
  // Refused answers are cut off; what they had sent by then was not fetched.
  expect(bytesAsked(server.requests.slice(-3)).every((bytes) => bytes <= 2 ** 20)).toBe(true);
});

test('accidents of different kinds in a row are still accidents: the server is not taken for one without ranges', async () => {
  const other = { etag: '"other"' };
  const { server, download } = await open({ storage: [undefined, undefined, undefined, undefined, other, other, { ignoreRange: true }] }, { hub: { connections: 1 } });
  expect(await download()).toMatchObject({ state: 'done' });
  const storage = server.requests.filter((request) => request.startsWith('storage'));
  expect(storage.filter((request) => !request.includes('bytes='))).toEqual([]);
  expect(bytesAsked(storage).reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(file.length + 3 * 2 ** 20);
});

test('another state of the file never gets into it', async () => {
  const changed = Buffer.from(file);
  changed.fill(7, 1_000_000, 5_000_000);
  const { contentOf } = await import('../testing/hub/hubContent.ts');
  const { download, models } = await open({ storage: [undefined, { content: contentOf(changed) }, undefined, { content: contentOf(changed) }] });
  expect(await download()).toMatchObject({ state: 'done' });
  expect(readFileSync(models.path('tiny')).equals(file)).toBe(true);
});

test('an address in the settings sends everything through a proxy', async () => {
  const proxy = await startProxy();
  onTestFinished(() => proxy.close());
  const { server, download } = await open({}, { proxy: proxy.address });
  expect(await download()).toMatchObject({ state: 'done' });
  const hosts = new Set(proxy.tunnels.map((tunnel) => tunnel.split(':')[0]));
  expect([...hosts].sort()).toEqual(['127.0.0.1', 'localhost']);
  expect(server.requests.length).toBeGreaterThan(4);
});

test('the bandwidth limit holds for all ranges together, and can be lifted on the way', async () => {
  const limit: { bytesPerSecond: number | null } = { bytesPerSecond: 2e6 };
  const { manager, reports } = await open({}, { bytesPerSecond: () => limit.bytesPerSecond });
  const startedAt = performance.now();
  const { id } = manager.start('tiny');
  await eventually(() => reports.some(({ doneBytes }) => doneBytes > 2e6));
  const seconds = (performance.now() - startedAt) / 1000;
  // What the limit has not yet let through may be there already: one chunk of each connection.
  expect(2e6 / seconds).toBeLessThan(3e6);
  limit.bytesPerSecond = null;
  expect(await manager.finished(id)).toMatchObject({ state: 'done' });
});

test('paused, a download is there after a restart and goes on when asked; what was under way goes on by itself', async () => {
  const parentFolder = temporaryFolder();
  const slow = Array.from({ length: 200 }, () => ({ bytesPerSecond: 5e5 }));
  const first = await open({ storage: slow }, { parentFolder });
  const { id } = first.manager.start('tiny');
  await eventually(() => first.reports.some(({ doneBytes }) => doneBytes > 6e5));
  await first.manager.pause(id);
  const kept = first.manager.list()[0]?.doneBytes ?? 0;
  expect(first.manager.list()).toMatchObject([{ state: 'paused' }]);

  const second = await open({ storage: slow }, { parentFolder });
  await second.manager.restore(true);
  expect(second.manager.list()).toMatchObject([{ state: 'paused', doneBytes: kept, name: 'Tiny', catalogueId: 'tiny' }]);
  second.manager.resume(second.manager.list()[0]?.id ?? '');
  await eventually(() => second.reports.some(({ doneBytes }) => doneBytes > kept + 3e5));
  await second.manager.close();
  const keptNow = second.manager.list()[0]?.doneBytes ?? 0;

  const third = await open({}, { parentFolder });
  await third.manager.restore(true);
  expect(await third.manager.finished(third.manager.list()[0]?.id ?? '')).toMatchObject({ state: 'done' });
  expect(third.server.sentBytes()).toBe(file.length - keptNow);
  expect(readFileSync(third.models.path('tiny')).equals(file)).toBe(true);
});

test('once it is noted a download is there after a kill, of which nothing more was written', async () => {
  const parentFolder = temporaryFolder();
  const first = await open({ silent: true }, { parentFolder });
  await first.manager.noted(first.manager.start('tiny').id);
  // Another session, while the first is stuck for ever.
  const second = await open({}, { parentFolder });
  await second.manager.restore(false);
  expect(second.manager.list()).toMatchObject([{ state: 'paused', doneBytes: 0, sha256 }]);
  await first.manager.close();
});

test('what a kill left beside a model that was listed already is removed, and not fetched again', async () => {
  const parentFolder = temporaryFolder();
  const slow = Array.from({ length: 200 }, () => ({ bytesPerSecond: 5e5 }));
  const first = await open({ storage: slow }, { parentFolder });
  first.manager.start('tiny');
  await eventually(() => first.reports.some(({ doneBytes }) => doneBytes > 3e5));
  await first.manager.close();
  const journal = `${sha256}.hub.part.journal`;
  copyFileSync(join(first.folder.models, journal), join(parentFolder, journal));
  const second = await open({}, { parentFolder });
  await second.manager.restore(true);
  await second.manager.finished(second.manager.list()[0]?.id ?? '');
  copyFileSync(join(parentFolder, journal), join(second.folder.models, journal));

  const third = await open({}, { parentFolder });
  await third.manager.restore(true);
  expect(third.manager.list()).toEqual([]);
  expect(readdirSync(third.folder.models)).toEqual(['tiny.gguf']);
  expect(third.server.sentBytes()).toBe(0);
});

test('cancelling deletes what was fetched', async () => {
  const { manager, folder, reports } = await open({ stallAfterBytes: 700_000 });
  const { id } = manager.start('tiny');
  await eventually(() => reports.some(({ state }) => state === 'downloading'));
  await manager.cancel(id);
  expect(manager.list()).toMatchObject([{ state: 'cancelled', doneBytes: 0 }]);
  expect(readdirSync(folder.models)).toEqual([]);
});

test('the offline switch ends what is under way at once', async () => {
  const { manager, client, state, folder, reports } = await open({ storage: Array.from({ length: 9 }, () => ({ bytesPerSecond: 1e5 })) });
  const { id } = manager.start('tiny');
  await eventually(() => reports.some(({ state: reached }) => reached === 'downloading'));
  state.offline = true;
  client.goOffline();
  expect(await manager.finished(id)).toMatchObject({ state: 'paused', failure: null });
  expect(readdirSync(join(folder.models))).toEqual([`${sha256}.hub.part`, `${sha256}.hub.part.journal`]);
});
