/** Search, verdicts and downloads through the whole host, against a hub on this machine. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { splitModel } from '../../engine/testing/splitModel.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { noFilters } from '../contract/hub.ts';
import type { Host } from '../host.ts';
import { contentOf } from '../testing/hub/hubContent.ts';
import { type HubRepository, type ModelHub, commit, startModelHub } from '../testing/hub/modelHub.ts';
import { failureOf } from '../testing/failureOf.ts';
import { openTestHost } from '../testing/openTestHost.ts';
import { readReference } from './hubReference.ts';
import { labelOf } from './hubSearch.ts';

const model = tinyModel({ architecture: 'llama', layers: 2, hiddenSize: 512, width: 2048, types: ['F32'] });
const parts = splitModel(tinyModel({ architecture: 'gemma3', layers: 4 }), 3);
const strange = Buffer.from(tinyModel({ architecture: 'llama', layers: 1 }));
strange.write('mamba', strange.indexOf('llama'), 'latin1');

const repositories: HubRepository[] = [
  { id: 'someone/tiny-llama-GGUF', licence: 'mit', downloads: 900, likes: 3, files: { 'tiny-llama-F32.gguf': contentOf(model) }, gguf: { total: 4_000_000, architecture: 'llama', context_length: 1024 } },
  { id: 'someone/tiny-split-GGUF', licence: 'apache-2.0', downloads: 800, files: Object.fromEntries(parts.map((bytes, index) => [`Q4/tiny-Q4_1-0000${index + 1}-of-00003.gguf`, contentOf(bytes)])), gguf: { total: 1_000_000, architecture: 'gemma3', context_length: 1024 } },
  { id: 'someone/tiny-mamba', downloads: 700, files: { 'mamba.gguf': contentOf(strange) }, gguf: { total: 2_000_000, architecture: 'mamba', context_length: 65_536 } },
  { id: 'google/tiny-gated', gated: 'manual', downloads: 600, files: { 'gated-Q8_0.gguf': contentOf(tinyModel({ architecture: 'llama', layers: 1, seed: 9 })) } },
  { id: 'someone/tiny-safetensors', downloads: 10_000, files: { 'model.safetensors': contentOf(Buffer.from('x')) } },
];

async function open(): Promise<{ host: Host; hub: ModelHub }> {
  const hub = await startModelHub({ repositories, token: 'hf_good', pageSize: 2 });
  onTestFinished(() => hub.close());
  const before = process.env['HF_ENDPOINT'];
  process.env['HF_ENDPOINT'] = hub.endpoint;
  onTestFinished(() => {
    if (before === undefined) delete process.env['HF_ENDPOINT'];
    else process.env['HF_ENDPOINT'] = before;
  });
  return { host: await openTestHost(), hub };
}
const llama = { repository: 'someone/tiny-llama-GGUF', revision: commit, path: 'tiny-llama-F32.gguf' };

test('words find repositories with GGUF files, page by page, and filters hold', async () => {
  const { host } = await open();
  const search = host.handlers['hub.search'];
  const first = await search({ query: 'tiny', filters: noFilters, cursor: null });
  expect(first.repositories.map(({ id }) => id)).toEqual(['someone/tiny-llama-GGUF', 'someone/tiny-split-GGUF']);
  expect(first.repositories[0]).toMatchObject({ licence: { name: 'mit' }, architecture: 'llama', contextTokens: 1024, runs: true, gated: false });
  const second = await search({ query: 'tiny', filters: noFilters, cursor: first.cursor });
  expect(second.repositories.map(({ id, runs, gated }) => [id, runs, gated])).toEqual([['someone/tiny-mamba', false, false], ['google/tiny-gated', null, true]]);
  expect(second.cursor).toBeNull();
  const found = async (filters: Partial<typeof noFilters>) => {
    const { repositories: page, cursor } = await search({ query: 'tiny', filters: { ...noFilters, ...filters }, cursor: null });
    const rest = cursor ? (await search({ query: 'tiny', filters: { ...noFilters, ...filters }, cursor })).repositories : [];
    return [...page, ...rest].map(({ id }) => id.split('/')[1]);
  };
  expect(await found({ licence: 'mit' })).toEqual(['tiny-llama-GGUF']);
  expect(await found({ onlyRunnable: true })).toEqual(['tiny-llama-GGUF', 'tiny-split-GGUF', 'tiny-gated']);
  expect(await found({ leastContextTokens: 32_768 })).toEqual(['tiny-mamba', 'tiny-gated']);
  expect(await found({ mostParameters: 1_500_000 })).toEqual(['tiny-split-GGUF', 'tiny-gated']);
  // The family need not stand in the name.
  expect(await found({ family: 'gemma3' })).toEqual(['tiny-split-GGUF', 'tiny-gated']);
  // A page of results is asked of the hub and of nobody else.
  expect(await failureOf(() => search({ query: '', filters: noFilters, cursor: 'http://elsewhere.example/' }))).toMatchObject({ code: 'bad-request' });
});

test('pages of which nothing passes the filters are passed over; a family without words is looked for by its name', async () => {
  const { host, hub } = await open();
  const found = await host.handlers['hub.search']({ query: 'tiny', filters: { ...noFilters, leastContextTokens: 32_768 }, cursor: null });
  expect(found).toMatchObject({ repositories: [{ id: 'someone/tiny-mamba' }, { id: 'google/tiny-gated' }], cursor: null });
  await host.handlers['hub.search']({ query: '', filters: { ...noFilters, family: 'gemma3' }, cursor: null });
  expect(hub.requests.at(-1)).toContain('/api/models?search=gemma-3&');
});

test('the address of a proxy is refused where it is written', async () => {
  const { host } = await open();
  const network = { proxy: 'socks5://127.0.0.1:1080', bytesPerSecond: null };
  expect(await failureOf(() => host.handlers['settings.update']({ network }))).toMatchObject({ message: 'The address of the proxy cannot be read.', remedy: 'Write it as http://host:port.' });
  expect(host.settings.read().network.proxy).toBeNull();
});

test('a name or an address finds one repository, and its files', async () => {
  const { host, hub } = await open();
  for (const query of ['someone/tiny-split-GGUF', `${hub.endpoint}/someone/tiny-split-GGUF/tree/main`, 'https://huggingface.co/someone/tiny-split-GGUF']) {
    expect((await host.handlers['hub.search']({ query, filters: noFilters, cursor: null })).repositories.map(({ id }) => id)).toEqual(['someone/tiny-split-GGUF']);
  }
  const { files, commit: at } = await host.handlers['hub.contents']({ reference: 'someone/tiny-split-GGUF' });
  expect(at).toBe(commit);
  expect(files).toMatchObject([{ label: 'Q4_1', parts: [{}, {}, {}], sizeBytes: parts.reduce((sum, { length }) => sum + length, 0) }]);
  expect(await failureOf(() => host.handlers['hub.contents']({ reference: 'someone/nothing' }))).toMatchObject({ code: 'hub-not-found', message: 'The hub refuses: there is no such repository, or it is private (401).' });
  expect(await failureOf(() => host.handlers['hub.contents']({ reference: 'https://example.org/a/b' }))).toMatchObject({ message: expect.stringContaining('example.org is not the hub') });
});

test('what a person may write for a file at the hub', () => {
  const endpoint = new URL('https://huggingface.co');
  expect(readReference('owner/name:Q4_K_M', endpoint)).toEqual({ repository: 'owner/name', revision: null, file: 'Q4_K_M' });
  expect(readReference('owner/name@v1:a/b.gguf', endpoint)).toEqual({ repository: 'owner/name', revision: 'v1', file: 'a/b.gguf' });
  expect(readReference('hf.co/owner/name', endpoint)).toEqual({ repository: 'owner/name', revision: null, file: null });
  expect(readReference('https://huggingface.co/o/n/resolve/main/d/x%20y.gguf?download=true', endpoint)).toEqual({ repository: 'o/n', revision: 'main', file: 'd/x y.gguf' });
  expect(readReference('small llama', endpoint)).toBeNull();
  expect(['a/Llama-3.2-1B-Instruct-Q4_K_M.gguf', 'x.IQ3_XXS.gguf', 'gemma-UD-Q4_K_XL-00001-of-00002.gguf', 'plain.gguf'].map(labelOf)).toEqual(['Q4_K_M', 'IQ3_XXS', 'UD-Q4_K_XL', 'plain']);
});

test('a verdict comes from the header alone, in bytes, for the window that was chosen', async () => {
  const { host, hub } = await open();
  const whole = await host.handlers['hub.verdict']({ ...llama, contextTokens: null });
  expect(whole).toMatchObject({ level: 'fits', architecture: 'llama', quantisation: 'F32', contextTokens: 1024, longestContextTokens: 1024, downloadBytes: model.length });
  // The first megabyte has it all: nothing but that was fetched of the file.
  expect(whole.headerBytes).toBe(2 ** 20);
  expect(hub.sentBytes()).toBe(2 ** 20);
  const short = await host.handlers['hub.verdict']({ ...llama, contextTokens: 512 });
  expect(hub.sentBytes()).toBe(2 ** 20);
  expect(short.kv.gpuBytes * 2).toBe(whole.kv.gpuBytes);
  expect(short.weightsBytes).toBe(whole.weightsBytes);
  expect(whole.reason).toMatch(/^1,024 tokens take .* of memory; everything fits there\.$/);

  host.settings.update({ kv: { gpuBytes: 700_000, ramBytes: 1, format: 'f16', sparseReading: null } });
  const offloaded = await host.handlers['hub.verdict']({ ...llama, contextTokens: null });
  expect(offloaded.level).toBe('offloads');
  expect(offloaded.kv.diskBytes).toBeGreaterThan(0);
  expect(await host.handlers['hub.verdict']({ repository: 'someone/tiny-mamba', revision: commit, path: 'mamba.gguf', contextTokens: null })).toMatchObject({
    level: 'unsupported',
    reason: expect.stringMatching(/^The model's architecture is "mamba", which Longleaf does not know/),
  });
});

test('a split model is downloaded, checked part by part and read as one', async () => {
  const { host } = await open();
  const choice = { repository: 'someone/tiny-split-GGUF', revision: commit, path: 'Q4/tiny-Q4_1-00001-of-00003.gguf' };
  expect(await host.handlers['hub.verdict']({ ...choice, contextTokens: null })).toMatchObject({ level: 'fits', architecture: 'gemma3' });
  const { id } = await host.handlers['hub.download'](choice);
  expect(await host.downloads.finished(id)).toMatchObject({ state: 'done', modelId: 'tiny-q4_1' });
  expect(host.models.get('tiny-q4_1')).toMatchObject({ name: 'tiny-Q4_1', architecture: 'gemma3', licence: { name: 'apache-2.0' }, sizeBytes: parts.reduce((sum, { length }) => sum + length, 0) });
  expect(readdirSync(host.folder.models).sort()).toEqual([1, 2, 3].map((part) => `tiny-q4_1-0000${part}-of-00003.gguf`));
  expect((await host.models.verify('tiny-q4_1')).ok).toBe(true);
  await host.models.remove('tiny-q4_1');
  expect(readdirSync(host.folder.models)).toEqual([]);
});

test('a gated repository opens with a token, which is kept for its owner only and goes to nobody else', async () => {
  const { host, hub } = await open();
  const choice = { repository: 'google/tiny-gated', revision: commit, path: 'gated-Q8_0.gguf' };
  expect(await failureOf(() => host.handlers['hub.download'](choice))).toMatchObject({
    code: 'hub-gated',
    message: 'The header of gated-Q8_0.gguf cannot be read: the file is there only for those who accepted its terms (401).',
    remedy: `Accept them at ${hub.endpoint}/google/tiny-gated, then give Longleaf an access token of your account.`,
  });
  expect(await host.handlers['hub.setToken']({ token: 'hf_good' })).toEqual({ kept: 'file' });
  expect(statSync(join(host.folder.root, 'hub-token')).mode & 0o777).toBe(0o600);
  const { id } = await host.handlers['hub.download'](choice);
  expect(await host.downloads.finished(id)).toMatchObject({ state: 'done' });
  expect(hub.leakedTokens).toEqual([]);
  expect(JSON.stringify(host.outbound.list())).not.toContain('hf_good');
  expect(await host.handlers['hub.setToken']({ token: null })).toEqual({ kept: null });
});

test('what the engine cannot run, and what passes the limit for models, is refused before it is fetched', async () => {
  const { host } = await open();
  expect(await failureOf(() => host.handlers['hub.download']({ repository: 'someone/tiny-mamba', revision: commit, path: 'mamba.gguf' }))).toMatchObject({ message: expect.stringContaining('"mamba"') });
  host.settings.update({ caps: { modelsBytes: 1_000_000, documentsBytes: null } });
  expect(await failureOf(() => host.handlers['hub.download'](llama))).toMatchObject({ code: 'models-cap', message: expect.stringMatching(/^Models may take 1\.0 MB; /) });
});

test('downloads go to a chosen folder, and models of other folders are used where they are', async () => {
  const { host } = await open();
  const { temporaryFolder } = await import('../testing/temporaryFolder.ts');
  const { writeTinyModel } = await import('../testing/openTestHost.ts');
  const drive = temporaryFolder();
  await writeTinyModel(drive, 'there-already.gguf', 5);
  expect((await host.modelFolders.add(drive)).added).toEqual(['there-already']);
  expect(host.models.get('there-already')).toMatchObject({ place: drive, owned: false, sha256: null, state: 'ready' });
  const [, folder] = await host.handlers['modelFolders.list']({});
  await host.handlers['modelFolders.receive']({ folderId: folder?.id ?? null });
  const { id } = await host.handlers['hub.download'](llama);
  expect(await host.downloads.finished(id)).toMatchObject({ state: 'done' });
  const downloaded = host.models.list().find(({ owned }) => owned);
  expect(downloaded).toMatchObject({ place: drive });
  expect(createHash('sha256').update(readFileSync(host.models.path(downloaded?.id ?? ''))).digest('hex')).toBe(downloaded?.sha256);
  expect(await host.handlers['storage.usage']({})).toMatchObject({ models: { bytes: model.length }, linkedModels: { bytes: statSync(join(drive, 'there-already.gguf')).size }, downloads: { bytes: 0 } });
  await host.handlers['modelFolders.remove']({ folderId: folder?.id ?? '' });
  expect(readdirSync(drive).sort()).toContain('there-already.gguf');
  expect(host.models.list().map(({ id: left }) => left)).toEqual([downloaded?.id]);
});
