/** A download manager on a real folder, and the tiny model it is to fetch. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import type { CatalogueEntry, Download } from '../contract/entities.ts';
import { DownloadManager } from '../downloads/downloadManager.ts';
import { OutboundClient } from '../downloads/outboundClient.ts';
import type { OpenPart } from '../downloads/partHandle.ts';
import { HostEvents } from '../events.ts';
import { HubClient, type HubOptions, hubOptions } from '../hub/hubClient.ts';
import { ModelStore } from '../models/modelStore.ts';
import { Database } from '../storage/database.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { OutboundLog } from '../storage/outboundLog.ts';
import { temporaryFolder } from './temporaryFolder.ts';

export const tinyFile = Buffer.from(tinyModel({ architecture: 'llama', layers: 4 }));
export const tinyDigest = createHash('sha256').update(tinyFile).digest('hex');
export const hubLocation = { kind: 'hub' as const, repository: 'someone/tiny', revision: 'main', path: 'tiny model.gguf' };

function entryWith(sources: CatalogueEntry['sources']): CatalogueEntry {
  return {
    id: 'tiny',
    name: 'Tiny',
    description: '',
    fileName: 'tiny.gguf',
    sizeBytes: tinyFile.length,
    sha256: tinyDigest,
    contextTokens: 1024,
    licence: { name: 'MIT', url: 'https://example.org' },
    starter: true,
    facts: { parameters: 1, chat: true, weightsBytes: 1, kvBytesPerToken: 1, fixedBytes: 1 },
    sources,
  };
}

interface Setting {
  endpoint: string;
  sources?: CatalogueEntry['sources'];
  entry?: Partial<CatalogueEntry>;
  hub?: Partial<HubOptions>;
  openPart?: OpenPart;
  /** Where the data folder is made. */
  parentFolder?: string;
  proxy?: string;
  bytesPerSecond?: () => number | null;
}

export function openManager({ endpoint, sources = [hubLocation], entry = {}, openPart, parentFolder, ...setting }: Setting) {
  const folder = openDataFolder(join(parentFolder ?? temporaryFolder(), 'data'));
  const database = Database.open(folder.database, folder.backups);
  onTestFinished(() => database.close());
  const catalogue = [{ ...entryWith(sources), ...entry }];
  const models = new ModelStore(database, folder.models, catalogue);
  const events = new HostEvents();
  const outbound = new OutboundLog(database);
  const state = { offline: false };
  const client = new OutboundClient({ log: outbound, isOffline: () => state.offline, proxy: () => setting.proxy ?? null });
  onTestFinished(() => client.close());
  const token = () => Promise.resolve(null);
  const options = { ...hubOptions({}), endpoint, firstByteTimeoutMs: 2000, stallTimeoutMs: 2000, firstRetryPauseMs: 10, retries: 5, token, ...setting.hub };
  const hub = new HubClient(client, options);
  const manager = new DownloadManager({ catalogue, models, events, folder, client, hub, openPart, bytesPerSecond: setting.bytesPerSecond });
  const reports: Download[] = [];
  events.subscribe((name, payload) => name === 'downloads.changed' && reports.push(payload as Download));
  const download = async () => manager.finished(manager.start('tiny').id);
  return { manager, client, models, folder, outbound, reports, state, download };
}
