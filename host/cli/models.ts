/** `longleaf models …`: models at hand, at the hub, and the folders they are in. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ModelRecord } from '../contract/entities.ts';
import type { FolderImport, ModelFolder } from '../contract/hub.ts';
import { RelayedError } from '../errors.ts';
import type { Host } from '../host.ts';
import { readCatalogue } from '../models/catalogue.ts';
import { formatBytes, formatCount } from '../wording.ts';
import { type CommandContext, usageError } from './context.ts';
import { downloadWithProgress } from './download.ts';
import { withModels } from './engine.ts';
import { fetchFromHub, isHubReference, search } from './modelsHub.ts';
import type { OptionValues } from './options.ts';
import { withHost } from './withHost.ts';

export const modelsUsage =
  'models list | search WORDS|OWNER/NAME [--context TOKENS] [--licence NAME] [--family NAME] [--max-parameters N] [--runnable] | get ID|OWNER/NAME[:FILE]|URL | import FILE|FOLDER [--copy] | verify ID | remove ID | folders [add FOLDER|remove FOLDER|receive FOLDER|receive own] | token [set|forget]';

export const modelsOptions = {
  context: { type: 'string' },
  licence: { type: 'string' },
  family: { type: 'string' },
  'max-parameters': { type: 'string' },
  runnable: { type: 'boolean' },
  copy: { type: 'boolean' },
} as const;

type ModelCommand = (context: CommandContext, values: OptionValues, argument: string, rest: string[]) => Promise<void>;

const commands: Record<string, { argument: string | null; rest?: boolean; run: ModelCommand }> = {
  list: { argument: null, run: list },
  search: { argument: 'WORDS', rest: true, run: (context, values, first, rest) => search(context, values, [first, ...rest].join(' ')) },
  get: { argument: 'ID', run: get },
  import: { argument: 'FILE', run: importFile },
  verify: { argument: 'ID', run: verify },
  remove: { argument: 'ID', run: remove },
  folders: { argument: '', rest: true, run: folders },
  token: { argument: '', rest: true, run: token },
};

export async function models(context: CommandContext, values: OptionValues, [name = 'list', ...rest]: string[]): Promise<void> {
  const command = commands[name];
  if (!command) throw usageError(`“models ${name}” does not exist.`, `Use one of: ${Object.keys(commands).join(', ')}.`);
  const wanted = command.argument ? 1 : 0;
  if (command.rest ? rest.length < wanted : rest.length !== wanted) {
    throw usageError(
      `“models ${name}” takes ${command.argument === null ? 'no argument' : `one argument, ${command.argument}`}.`,
      `Write: longleaf models ${name}${command.argument === null ? '' : ` ${command.argument}`}`,
    );
  }
  await command.run(context, values, rest[0] ?? '', rest.slice(1));
}

async function list({ output, dataFolder }: CommandContext): Promise<void> {
  const found = withModels(dataFolder, (store) => store.list());
  const others = readCatalogue().filter((entry) => !found.some((model) => model.sha256 === entry.sha256));
  for (const model of found) output.text(`${describe(model)}\n`);
  if (found.length === 0) output.text('No models yet.\n');
  for (const entry of others) {
    output.text(`${entry.id}\n    ${entry.name}, ${formatBytes(entry.sizeBytes)}, ${entry.licence.name}; fetch it with “longleaf models get ${entry.id}”\n`);
  }
  output.event({ event: 'done', models: found, catalogue: others });
}

function describe(model: ModelRecord): string {
  const state = model.state === 'missing' ? '; its file is MISSING' : '';
  const place = model.place === null ? '' : `; in ${model.place}`;
  return `${model.id}\n    ${model.name}, ${model.architecture} ${model.quantisation}, ${formatBytes(model.sizeBytes)}, ${formatCount(model.contextTokens)} tokens${place}${state}`;
}

function get(context: CommandContext, values: OptionValues, argument: string): Promise<void> {
  return withHost(context, async (host) => {
    const known = host.models.find(argument);
    if (known?.state === 'ready') context.output.note(`${known.name} is here already.`);
    const fetched = () =>
      isHubReference(argument) ? fetchFromHub(host, context, values, argument) : downloadWithProgress(host, () => host.downloads.start(argument), context);
    const modelId = known?.state === 'ready' ? known.id : await fetched();
    context.output.event({ event: 'done', model: host.models.get(modelId) });
  });
}

function importFile(context: CommandContext, values: OptionValues, given: string): Promise<void> {
  return withHost(context, async (host) => {
    const path = resolve(given);
    if ((await stat(path).catch(() => null))?.isDirectory()) {
      const result = await host.modelFolders.importFrom(path, values['copy'] === true ? 'copy' : 'link');
      tellImport(context, host, result);
      return;
    }
    const model = await host.models.importFile(path, basename(path), values['copy'] === true ? 'copy' : 'keep');
    context.output.text(`${model.id}\n`);
    context.output.note(`${model.name} was imported.`);
    context.output.event({ event: 'done', model });
  });
}

function tellImport({ output }: CommandContext, host: Host, { added, failed }: FolderImport): void {
  for (const id of added) output.text(`${id}\n`);
  for (const { name, failure } of failed) output.note(`${name}: ${failure.message}`);
  output.note(`${added.length} ${added.length === 1 ? 'model is' : 'models are'} used from there; ${failed.length} ${failed.length === 1 ? 'file was' : 'files were'} left out.`);
  output.event({ event: 'done', models: added.map((id) => host.models.get(id)), failed });
}

function verify(context: CommandContext, _values: OptionValues, modelId: string): Promise<void> {
  return withHost(context, async (host) => {
    const { failure, sha256 } = await host.models.verify(modelId);
    if (failure) throw new RelayedError(failure);
    context.output.text(`${sha256}\n`);
    context.output.note(host.models.get(modelId).sha256 === null ? 'This is the file’s SHA-256; there was none to compare it with.' : 'The file is as it was when it was added.');
    context.output.event({ event: 'done', modelId, sha256 });
  });
}

function remove(context: CommandContext, _values: OptionValues, modelId: string): Promise<void> {
  return withHost(context, async (host) => {
    const { owned } = host.models.get(modelId);
    await host.models.remove(modelId);
    context.output.note(owned ? `${modelId} was removed.` : `${modelId} was removed from the list; its file stays where it is.`);
    context.output.event({ event: 'done', modelId });
  });
}

function folders(context: CommandContext, _values: OptionValues, task: string, [given]: string[]): Promise<void> {
  return withHost(context, async (host) => {
    const { output } = context;
    if (task === 'add' && given) return tellImport(context, host, await host.modelFolders.add(given));
    if (task === 'remove' && given) await host.modelFolders.remove((await folderAt(host, given)).id ?? '');
    else if (task === 'receive' && given) host.modelFolders.receive(given === 'own' ? null : (await folderAt(host, given)).id);
    else if (task !== '') throw usageError(`“models folders ${task}” does not exist.`, 'Write: longleaf models folders [add FOLDER|remove FOLDER|receive FOLDER|receive own]');
    const all = await host.modelFolders.list();
    for (const { path, modelBytes, freeBytes, receives, state } of all) {
      output.text(`${path}\n    ${state === 'missing' ? 'not there now' : `${formatBytes(modelBytes)} of models, ${formatBytes(freeBytes)} free`}${receives ? '; downloads go here' : ''}\n`);
    }
    output.event({ event: 'done', folders: all });
  });
}

async function folderAt(host: Host, given: string): Promise<ModelFolder> {
  const found = (await host.modelFolders.list()).find(({ id, path }) => id !== null && path === resolve(given));
  if (!found) throw usageError(`${resolve(given)} is not one of the folders.`, 'See “longleaf models folders”.');
  return found;
}

/** The token comes from stdin: arguments can be seen by other programs. */
function token(context: CommandContext, _values: OptionValues, task: string): Promise<void> {
  return withHost(context, async (host) => {
    if (task === 'set') {
      let given = '';
      for await (const piece of process.stdin) given += String(piece);
      if (given.trim() === '') throw usageError('There is no token on stdin.', 'Write: longleaf models token set < FILE');
      await host.secrets.set(given.trim());
    } else if (task === 'forget') await host.secrets.set(null);
    else if (task !== '') throw usageError(`“models token ${task}” does not exist.`, 'Write: longleaf models token [set|forget]');
    const { kept } = await host.secrets.status();
    const said = { system: 'The token is kept by the operating system.', file: 'The token is kept in a file that only you can read.', environment: 'HF_TOKEN is used.' };
    context.output.note(kept === null ? 'There is no token.' : said[kept]);
    context.output.event({ event: 'done', token: { kept } });
  });
}
