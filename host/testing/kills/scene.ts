/** A data folder with a model that is asked, a hub with one that is fetched, and somebody who uses both. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { tinyModel } from '../../../engine/testing/tinyModel.ts';
import { openHost } from '../../host.ts';
import { contentOf } from '../hub/hubContent.ts';
import { commit, type ModelHub, startModelHub } from '../hub/modelHub.ts';
import { scriptedWorkerPath } from '../scriptedWorkerPath.ts';
import type { Work } from './person.ts';

export interface KillScene {
  dataFolder: string;
  work: Work;
  hub: ModelHub;
  environment: NodeJS.ProcessEnv;
}

/** Of each connection: a download takes about as long as a life. */
const bytesPerSecond = 8e5;
/** What a verdict reads before a download comes at once. */
const isHeader = ({ headers }: IncomingMessage) => headers.range === `bytes=0-${2 ** 20 - 1}`;

export async function makeKillScene(root: string, { words = 200 } = {}): Promise<KillScene> {
  const dataFolder = join(root, 'data');
  mkdirSync(root, { recursive: true });
  const asked = join(root, 'asked.gguf');
  writeFileSync(asked, tinyModel({ architecture: 'llama', layers: 1, contextTokens: 4096 }));
  const host = await openHost({ dataFolder, worker: { entry: scriptedWorkerPath } });
  const { id: modelId } = await host.models.importFile(asked, 'asked.gguf', 'copy');
  await host.close();
  const fetched = contentOf(tinyModel({ architecture: 'llama', layers: 1, hiddenSize: 256, width: 2048, types: ['F32'], seed: 2 }));
  const hub = await startModelHub({ repositories: [{ id: 'someone/fetched', files: { 'fetched.gguf': fetched } }], storageFault: (request) => ({ bytesPerSecond: isHeader(request) ? undefined : bytesPerSecond }) });
  const hubFile = { repository: 'someone/fetched', revision: commit, path: 'fetched.gguf', sha256: fetched.sha256 };
  return { dataFolder, work: { modelId, hubFile, words }, hub, environment: { HF_ENDPOINT: hub.endpoint, LONGLEAF_CACHE: join(root, 'cache') } };
}
