/** The worker and the models, for a command that computes. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { HostError } from '../errors.ts';
import { openHost } from '../host.ts';
import { workerEntry } from '../locations.ts';
import { isFileOfCatalogue, needsBoundsChecks } from '../models/boundsChecks.ts';
import { findInCatalogue, readCatalogue } from '../models/catalogue.ts';
import { inspectModel } from '../models/inspectModel.ts';
import { missingFile } from '../models/modelFileFailures.ts';
import { ModelStore } from '../models/modelStore.ts';
import { SettingsStore } from '../storage/settingsStore.ts';
import { openSharedStorage } from '../storage/sharedStorage.ts';
import { ModelSession, type ModelTarget } from '../worker/modelSession.ts';
import { WorkerSupervisor } from '../worker/supervisor.ts';
import type { CommandContext } from './context.ts';
import { downloadWithProgress } from './download.ts';

export interface CommandEngine {
  supervisor: WorkerSupervisor;
  session: ModelSession;
}

export interface ChosenModel {
  target: ModelTarget;
  name: string;
}

export async function withEngine<T>(work: (engine: CommandEngine) => Promise<T>): Promise<T> {
  const supervisor = new WorkerSupervisor({ entry: workerEntry() });
  try {
    return await work({ supervisor, session: new ModelSession(supervisor) });
  } finally {
    await supervisor.close();
  }
}

/** `--model` names a file, which needs no import, or a model by its id. */
export async function chooseModel(context: CommandContext, given: string | undefined, contextTokens: number | null): Promise<ChosenModel> {
  if (given !== undefined && (existsSync(given) || /\.gguf$/i.test(given) || /[\\/]/.test(given))) {
    const path = resolve(given);
    const { name } = await inspectModel(path);
    return { target: { id: basename(path), path, contextTokens, boundsChecks: needsBoundsChecks(await isFileOfCatalogue(path, readCatalogue())) }, name };
  }
  return withModels(context.dataFolder, (models, settings) => {
    const model = given === undefined ? models.defaultModel(settings.read().defaultModelId) : getModel(models, given);
    if (model.state === 'missing') throw missingFile(model);
    return { target: { id: model.id, path: models.path(model.id), contextTokens, boundsChecks: needsBoundsChecks(models.isOfCatalogue(model)) }, name: model.name };
  });
}

/** As above; when there is no model at all, the starter is fetched first. */
export async function chooseOrFetchModel(context: CommandContext, given: string | undefined, contextTokens: number | null): Promise<ChosenModel> {
  try {
    return await chooseModel(context, given, contextTokens);
  } catch (error) {
    const starter = readCatalogue().find((entry) => entry.starter);
    if (!(error instanceof HostError && error.code === 'no-model') || !starter) throw error;
    context.output.note(`There is no model yet: downloading ${starter.name} (${starter.licence.name}).`);
    const host = await openHost({ dataFolder: context.dataFolder });
    try {
      await downloadWithProgress(host, () => host.downloads.start(starter.id), context);
    } finally {
      await host.close();
    }
    return chooseModel(context, given, contextTokens);
  }
}

export function withModels<T>(dataFolder: string, work: (models: ModelStore, settings: SettingsStore) => T): T {
  const { folder, database } = openSharedStorage(dataFolder);
  try {
    return work(new ModelStore(database, folder.models, readCatalogue()), new SettingsStore(database));
  } finally {
    database.close();
  }
}

function getModel(models: ModelStore, modelId: string) {
  const found = models.find(modelId);
  if (found) return found;
  const catalogue = readCatalogue();
  if (!catalogue.some((entry) => entry.id === modelId)) return models.get(modelId);
  const { name } = findInCatalogue(catalogue, modelId);
  throw new HostError('model-not-found', `${name} is not on this machine yet.`, `Fetch it with “longleaf models get ${modelId}”.`);
}
