/** `longleaf models list|get|import|verify|remove`. */
import { basename, resolve } from 'node:path';
import type { ModelRecord } from '../contract/entities.ts';
import { RelayedError } from '../errors.ts';
import { type Host, openHost } from '../host.ts';
import { readCatalogue } from '../models/catalogue.ts';
import { formatBytes, formatCount } from '../wording.ts';
import { type CommandContext, usageError } from './context.ts';
import { downloadWithProgress } from './download.ts';
import { withModels } from './engine.ts';

type ModelCommand = (context: CommandContext, argument: string) => Promise<void>;

const commands: Record<string, { argument: string | null; run: ModelCommand }> = {
  list: { argument: null, run: list },
  get: { argument: 'ID', run: get },
  import: { argument: 'FILE', run: importFile },
  verify: { argument: 'ID', run: verify },
  remove: { argument: 'ID', run: remove },
};

export async function models(context: CommandContext, [name = 'list', ...rest]: string[]): Promise<void> {
  const command = commands[name];
  if (!command) throw usageError(`“models ${name}” does not exist.`, `Use one of: ${Object.keys(commands).join(', ')}.`);
  const wanted = command.argument === null ? 0 : 1;
  if (rest.length !== wanted) {
    throw usageError(
      `“models ${name}” takes ${command.argument === null ? 'no argument' : `one argument, ${command.argument}`}.`,
      `Write: longleaf models ${name}${command.argument === null ? '' : ` ${command.argument}`}`,
    );
  }
  await command.run(context, rest[0] ?? '');
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
  return `${model.id}\n    ${model.name}, ${model.architecture} ${model.quantisation}, ${formatBytes(model.sizeBytes)}, ${formatCount(model.contextTokens)} tokens${state}`;
}

function get(context: CommandContext, catalogueId: string): Promise<void> {
  return withHost(context, async (host) => {
    const known = host.models.find(catalogueId);
    if (known?.state === 'ready') context.output.note(`${known.name} is here already.`);
    const modelId = known?.state === 'ready' ? known.id : await downloadWithProgress(host, catalogueId, context);
    context.output.event({ event: 'done', model: host.models.get(modelId) });
  });
}

function importFile(context: CommandContext, path: string): Promise<void> {
  return withHost(context, async (host) => {
    const model = await host.models.importFile(resolve(path), basename(path), 'keep');
    context.output.text(`${model.id}\n`);
    context.output.note(`${model.name} was imported.`);
    context.output.event({ event: 'done', model });
  });
}

function verify(context: CommandContext, modelId: string): Promise<void> {
  return withHost(context, async (host) => {
    const { failure, sha256 } = await host.models.verify(modelId);
    if (failure) throw new RelayedError(failure);
    context.output.text(`${sha256}\n`);
    context.output.note('The file is as it was when it was added.');
    context.output.event({ event: 'done', modelId, sha256 });
  });
}

function remove(context: CommandContext, modelId: string): Promise<void> {
  return withHost(context, async (host) => {
    await host.models.remove(modelId);
    context.output.note(`${modelId} was removed.`);
    context.output.event({ event: 'done', modelId });
  });
}

async function withHost(context: CommandContext, work: (host: Host) => Promise<void>): Promise<void> {
  const host = await openHost({ dataFolder: context.dataFolder });
  try {
    await work(host);
  } finally {
    await host.close();
  }
}
