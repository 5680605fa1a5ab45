import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CatalogueEntry, Download, ModelRecord } from '../../../host/contract/entities.ts';
import { ContractError } from '../../../host/contract/client.ts';
import { sampleFailure, scriptedHost, settled } from '../../testing/scriptedHost.ts';
import { downloadDetails } from './downloadText.ts';
import { answeringModel, createModelsStore, downloadOf, installedModelOf } from './store.ts';

const download: Download = {
  id: 'd1', catalogueId: 'small', sha256: 'a'.repeat(64), name: 'Small', state: 'downloading', waiting: null, source: 'the hub', doneBytes: 50_000_000, totalBytes: 150_000_000,
  bytesPerSecond: 10_000_000, modelId: null, failure: null,
};
const model: ModelRecord = {
  id: 'm1', name: 'Small', fileName: 'small.gguf', architecture: 'llama', quantisation: 'Q4_1', parameters: 135_000_000, sizeBytes: 1, sha256: 'abc',
  contextTokens: 8192, chat: true, licence: null, state: 'ready', place: null, owned: true, addedAtMs: 1,
};

describe('the models store', () => {
  it('shows the download under way before older ones, and else the newest', () => {
    const failed: Download = { ...download, id: 'd0', state: 'failed' };
    const newer: Download = { ...download, id: 'd2', state: 'cancelled' };
    expect(downloadOf({ d0: failed, d1: download, d2: newer }, 'small')?.id).toBe('d1');
    expect(downloadOf({ d0: failed, d2: newer }, 'small')?.id).toBe('d2');
    expect(downloadOf({ d0: failed }, 'other')).toBeNull();
  });

  it('knows an installed entry by its checksum, or by its file name while that is not known', () => {
    const entry = { sha256: 'abc', fileName: 'small.gguf' } as CatalogueEntry;
    expect(installedModelOf([model], entry)).toBe(model);
    expect(installedModelOf([{ ...model, sha256: 'other' }], entry)).toBeNull();
    expect(installedModelOf([{ ...model, sha256: null }], entry)).not.toBeNull();
  });

  it('says how far, how fast, how long yet', () => {
    expect(downloadDetails(download)).toEqual(['50.0 MB of 150 MB', '10.0 MB/s', 'about 10 s left', 'from the hub']);
    expect(downloadDetails({ ...download, state: 'verifying', source: '' })).toEqual(['50.0 MB of 150 MB']);
  });

  it('keeps the reason of a refused import in its place', async () => {
    const host = scriptedHost({ 'models.import': () => Promise.reject(new ContractError(sampleFailure)) });
    const store = createModelsStore(host, () => Promise.resolve('f1'));
    await store.getState().importModel({ name: 'broken.gguf', fileId: 'f1' });
    expect(store.getState().importing).toEqual({ name: 'broken.gguf', fraction: null, failure: sampleFailure });
  });

  it('says what a folder had in it, and forgets that with the next import', async () => {
    const imported = { added: ['m1'], failed: [{ name: 'torn.gguf', failure: sampleFailure }] };
    const host = scriptedHost({ 'models.importFolder': () => imported, 'models.list': () => [model], 'models.import': () => model });
    const store = createModelsStore(host, () => Promise.resolve('f1'));
    expect(await store.getState().importFolder({ fileId: 'f1', name: 'models' })).toBe(true);
    expect(store.getState()).toMatchObject({ importing: null, imported, models: [model] });
    await store.getState().importModel({ name: 'small.gguf', fileId: 'f1' });
    expect(store.getState().imported).toBeNull();
  });

  it('reports a verified and a damaged file', async () => {
    const host = scriptedHost({ 'models.verify': () => ({ ok: true, sha256: 'abc', failure: null }) });
    const store = createModelsStore(host);
    await store.getState().verify('m1');
    expect(store.getState().verifications.m1).toEqual({ state: 'matches', sha256: 'abc' });
    host.answers['models.verify'] = () => ({ ok: false, sha256: 'abd', failure: sampleFailure });
    await store.getState().verify('m1');
    expect(store.getState().verifications.m1).toEqual({ state: 'differs', failure: sampleFailure });
  });

  it('looks for a model whose drive is away until it is back, and no longer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    const host = scriptedHost({ 'models.list': () => ((asked += 1) < 3 ? [{ ...model, state: 'missing' }] : [model]) });
    const store = createModelsStore(host);
    await store.getState().refresh();
    expect(store.getState().models[0]?.state).toBe('missing');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.getState().models[0]?.state).toBe('ready');
    expect(asked).toBe(3);
  });

  it('follows the host’s events', async () => {
    const host = scriptedHost({ 'models.list': () => [], 'models.catalogue': () => [], 'downloads.list': () => [] });
    const store = createModelsStore(host);
    host.open();
    await settled();
    host.send('downloads.changed', download);
    host.send('models.changed', [model]);
    expect(store.getState()).toMatchObject({ known: true, models: [model], downloads: { d1: download } });
  });
});

describe('answeringModel', () => {
  const other: ModelRecord = { ...model, id: 'm2' };
  const missing: ModelRecord = { ...model, id: 'm3', state: 'missing' };

  it('is the chat’s own, else the default, else the first that is ready', () => {
    expect(answeringModel([missing, model, other], 'm2', 'm1')?.id).toBe('m2');
    expect(answeringModel([missing, model, other], null, 'm2')?.id).toBe('m2');
    expect(answeringModel([missing, model, other], 'gone', 'm3')?.id).toBe('m1');
    expect(answeringModel([missing, { ...missing, id: 'm4' }], null, 'm4')?.id).toBe('m4');
    expect(answeringModel([missing], null, null)?.state).toBe('missing');
    expect(answeringModel([], null, 'm3')).toBeNull();
  });

  it('shows a chat its own model even where the file is missing', () => {
    expect(answeringModel([missing, model], 'm3', null)?.state).toBe('missing');
  });
});
