/** `models search` and `models get owner/name[:file]|URL`. */
import type { HubContents, HubFilters, HubModelFile, HubRepository, Verdict } from '../contract/hub.ts';
import type { Host } from '../host.ts';
import { hubOptions } from '../hub/hubClient.ts';
import { readReference } from '../hub/hubReference.ts';
import { labelOf } from '../hub/hubSearch.ts';
import { formatBytes, formatCount } from '../wording.ts';
import { type CommandContext, usageError } from './context.ts';
import { downloadWithProgress } from './download.ts';
import { type OptionValues, integer, readContext, text } from './options.ts';
import { withHost } from './withHost.ts';

export function isHubReference(argument: string): boolean {
  return argument.includes('/');
}

const endpoint = () => new URL(hubOptions().endpoint);

export function search(context: CommandContext, values: OptionValues, query: string): Promise<void> {
  const filters: HubFilters = {
    licence: text(values, 'licence') ?? null,
    family: text(values, 'family') ?? null,
    mostParameters: integer(values, 'max-parameters', 1, Number.MAX_SAFE_INTEGER) ?? null,
    leastContextTokens: null,
    onlyRunnable: values['runnable'] === true,
  };
  return withHost(context, async (host) => {
    const { output } = context;
    if (readReference(query, endpoint())) return showRepository(host, context, values, query);
    const { repositories } = await host.hubModels.search(query, filters, null);
    for (const repository of repositories) output.text(`${describe(repository)}\n`);
    output.note(repositories.length === 0 ? 'Nothing was found.' : 'See the files of one, and whether they run here, with “longleaf models search OWNER/NAME”.');
    output.event({ event: 'done', repositories });
  });
}

function describe({ id, licence, downloads, architecture, parameters, contextTokens, gated, runs }: HubRepository): string {
  const known = [
    architecture === null ? null : `${architecture}${runs === false ? ' (which Longleaf does not know)' : ''}`,
    parameters === null ? null : `${formatCount(parameters)} parameters`,
    contextTokens === null ? null : `${formatCount(contextTokens)} tokens`,
    licence === null ? 'no licence stated' : licence.name,
    `${formatCount(downloads)} downloads`,
    gated ? 'terms to accept' : null,
  ];
  return `${id}\n    ${known.filter((part) => part !== null).join(', ')}`;
}

async function showRepository(host: Host, { output }: CommandContext, values: OptionValues, reference: string): Promise<void> {
  const contents = await host.hubModels.contents(reference);
  output.text(`${describe(contents.repository)}\n`);
  const verdicts: (HubModelFile & { verdict: Verdict })[] = [];
  for (const file of contents.files) {
    const verdict = await host.hubModels.verdict(choiceOf(contents, file), readContext(values));
    verdicts.push({ ...file, verdict });
    output.text(`${contents.repository.id}:${file.label}\n    ${formatBytes(file.sizeBytes)}; ${verdict.level}: ${verdict.reason}\n`);
  }
  if (contents.files.length === 0) output.note('There are no GGUF files in it.');
  output.event({ event: 'done', repository: contents.repository, commit: contents.commit, files: verdicts });
}

export async function fetchFromHub(host: Host, context: CommandContext, values: OptionValues, argument: string): Promise<string> {
  const reference = readReference(argument, endpoint());
  if (!reference) throw usageError(`“${argument}” names nothing at the hub.`, 'Write: longleaf models get OWNER/NAME[:FILE]');
  const contents = await host.hubModels.contents(reference.revision === null ? reference.repository : `${reference.repository}@${reference.revision}`);
  const file = await chooseFile(host, contents, reference.file, readContext(values));
  const choice = choiceOf(contents, file);
  const verdict = await host.hubModels.verdict(choice, readContext(values));
  context.output.note(`${file.path}, ${formatBytes(file.sizeBytes)}${contents.repository.licence ? `, ${contents.repository.licence.name}` : ''}. ${verdict.reason}`);
  return downloadWithProgress(host, () => host.hubModels.download(choice), context);
}

async function chooseFile(host: Host, contents: HubContents, wanted: string | null, contextTokens: number | null): Promise<HubModelFile> {
  const { files, repository } = contents;
  const names = ({ path, label }: HubModelFile) => [path, path.split('/').at(-1) ?? path, label, labelOf(path)].map((name) => name.toLowerCase());
  const found = wanted === null ? files : files.filter((file) => names(file).includes(wanted.toLowerCase()) || file.parts.some(({ path }) => path === wanted));
  const [only] = found;
  if (only && found.length === 1) return only;
  const lines: string[] = [];
  for (const file of wanted === null ? files : found.length > 0 ? found : files) {
    const { level } = await host.hubModels.verdict(choiceOf(contents, file), contextTokens);
    lines.push(`${repository.id}:${file.label} (${formatBytes(file.sizeBytes)}, ${level})`);
  }
  const why = files.length === 0 ? `${repository.id} has no GGUF files.` : wanted === null ? `${repository.id} has several files.` : `${repository.id} has no single file “${wanted}”.`;
  throw usageError(why, files.length === 0 ? 'Look for a repository whose name ends in GGUF.' : `Write one of: ${lines.join(', ')}`);
}

function choiceOf({ repository, commit }: HubContents, { path }: HubModelFile) {
  return { repository: repository.id, revision: commit, path };
}
