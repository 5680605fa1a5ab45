/** `longleaf memories list|remove|quota`: what was read and is kept. */
import type { MemoryRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import { type Host, openHost } from '../host.ts';
import { formatBytes, formatCount, formatShare } from '../wording.ts';
import { type CommandContext, usageError } from './context.ts';
import { parseBytes } from './options.ts';

export const memoriesUsage = 'memories list | remove ID | quota [SIZE|none]';
/** Enough of an id to tell it from the others, and to type it. */
const shownCharacters = 12;

export async function memories(context: CommandContext, [name = 'list', ...rest]: string[]): Promise<void> {
  if (name === 'list' && rest.length === 0) return withHost(context, (host) => list(context, host));
  if (name === 'remove' && rest.length === 1) return withHost(context, (host) => remove(context, host, rest[0]));
  if (name === 'quota' && rest.length <= 1) return withHost(context, (host) => quota(context, host, rest.at(0)));
  throw usageError(`“memories ${[name, ...rest].join(' ')}” does not exist.`, `Write: longleaf ${memoriesUsage}`);
}

async function list({ output }: CommandContext, host: Host): Promise<void> {
  const found = await host.memories.list();
  for (const memory of found) output.text(`${describe(memory)}\n`);
  if (found.length === 0) output.text('Nothing is kept yet: read a document with “longleaf read FILE”.\n');
  output.event({ event: 'done', memories: found });
}

function describe({ id, users, modelName, tokens, sparseReading, bytes, freedBytes, state }: MemoryRecord): string {
  const names = users.map(({ kind, name }) => `${kind} ${name === null ? 'that is gone' : `“${name}”`}`).join(', ');
  const condition = { ready: '', reading: '; not read to its end', damaged: '; DAMAGED, a part will be read again' }[state];
  const sparsely = sparseReading ? `, read sparsely from token ${formatCount(sparseReading.fromTokens)} on (${formatShare(sparseReading.share)})` : '';
  return `${id.slice(0, shownCharacters)}\n    ${names}, ${modelName ?? 'a model that is gone'}, ${formatCount(tokens)} tokens${sparsely}, ${formatBytes(bytes)}; deleting it frees ${formatBytes(freedBytes)}${condition}`;
}

async function remove({ output }: CommandContext, host: Host, given: string): Promise<void> {
  const known = (await host.memories.list()).filter(({ id }) => id.startsWith(given));
  if (known.length !== 1) {
    const why = known.length === 0 ? `There is no memory “${given}”.` : `“${given}” could be any of ${known.length} memories.`;
    throw new HostError('memory-not-found', why, 'See “longleaf memories list”.');
  }
  const { bytes } = await host.memories.remove(known[0].id);
  output.note(`The memory was deleted: ${formatBytes(bytes)} are free again.`);
  output.event({ event: 'done', memoryId: known[0].id, freedBytes: bytes });
}

async function quota({ output }: CommandContext, host: Host, given: string | undefined): Promise<void> {
  const usage = await host.memories.quota(given === undefined ? undefined : given === 'none' ? null : parseBytes('quota', given));
  const limit = usage.quotaBytes === null ? 'no limit' : `a limit of ${formatBytes(usage.quotaBytes)}`;
  output.text(`${formatBytes(usage.usedBytes)} are kept, with ${limit}; ${formatBytes(usage.freeBytes)} more can be.\n`);
  output.event({ event: 'done', ...usage });
}

async function withHost(context: CommandContext, work: (host: Host) => Promise<void>): Promise<void> {
  const host = await openHost({ dataFolder: context.dataFolder });
  try {
    await work(host);
  } finally {
    await host.close();
  }
}
