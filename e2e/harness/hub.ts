/** A model hub on this machine with the files of the catalogue that lie in a folder, and with small models to look for. */
import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { readCatalogue } from '../../host/models/catalogue.ts';
import { contentAt } from '../../host/testing/hub/hubContent.ts';
import { type HubRepository, type ModelHub, startModelHub } from '../../host/testing/hub/modelHub.ts';
import { hubToken, smallRepositories } from './smallHub.ts';

/** What a verdict reads comes at once. */
const isHeader = ({ headers }: IncomingMessage) => headers.range === `bytes=0-${2 ** 20 - 1}`;

/** `bytesPerSecond` of each connection; null: as fast as it goes. */
export function startHub(folder: string, bytesPerSecond: number | null): Promise<ModelHub> {
  const repositories = readCatalogue().flatMap((entry): HubRepository[] => {
    const path = join(folder, entry.fileName);
    if (!existsSync(path)) return [];
    return entry.sources.flatMap((source) =>
      source.kind === 'hub' ? [{ id: source.repository, commits: [source.revision], files: { [source.path]: contentAt(path, entry.sizeBytes, entry.sha256) } }] : [],
    );
  });
  return startModelHub({ repositories: [...repositories, ...smallRepositories()], token: hubToken, storageFault: (request) => ({ bytesPerSecond: isHeader(request) ? undefined : (bytesPerSecond ?? undefined) }) });
}
