/** Prompts about what has been read of their documents so far: an answer need not wait for the end of a long reading. */
import type { ComposedPrompt } from '../../engine/prompt/composePrompt.ts';
import { usableSegments } from '../../engine/kept/restore.ts';
import type { PartlyRead } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import { quoted } from '../wording.ts';
import type { ActiveModel } from './activeModel.ts';
import { type DocumentEnd, keptPath, type WorkerMemories } from './memories.ts';
import type { ChatPrompt, Keeping } from './protocol.ts';

export interface ComposedChat {
  composed: ComposedPrompt;
  /** Where the documents end that are there as a whole. */
  documents: DocumentEnd[];
  partlyRead: PartlyRead[];
}

/** Less of a document says nothing. */
const fewestTokens = 16;

/**
 * The chat as tokens. With `onlyRead`, documents are cut to what is in the cache or kept of them, so that nothing of
 * them has to be read; what nothing is read of is left out. Both are in `partlyRead`. @throws `nothing-read`.
 */
export async function composeChat(model: ActiveModel, prompt: ChatPrompt, keeping: Keeping | undefined, memories: WorkerMemories): Promise<ComposedChat> {
  const whole = await model.compose(prompt);
  if (!prompt.onlyRead) return { composed: whole, documents: endsOf(prompt, whole), partlyRead: [] };
  const read = Math.max(model.loaded.sequence.reusable(whole.tokens), keeping ? await keptTokens(model, whole.tokens, keeping.folder, memories) : 0);
  const shares = prompt.documents.map(({ id, name }) => {
    const { start, end } = whole.documentTexts.get(id) ?? { start: 0, end: 0 };
    const readTokens = Math.max(0, Math.min(read, end) - start);
    return { id, name, readTokens: readTokens < fewestTokens && readTokens < end - start ? 0 : readTokens, tokens: end - start };
  });
  const partlyRead = shares.filter(({ readTokens, tokens }) => readTokens < tokens);
  if (partlyRead.length === 0) return { composed: whole, documents: endsOf(prompt, whole), partlyRead: [] };
  if (shares.every(({ readTokens }) => readTokens === 0)) {
    throw new HostError('nothing-read', `Nothing has been read yet of ${shares.map(({ name }) => quoted(name)).join(', ')}.`, 'Ask again in a moment, or wait for the whole document.');
  }
  const limits = new Map(shares.map(({ id, readTokens }) => [id, readTokens]));
  const documents = prompt.documents.filter(({ id }) => limits.get(id) !== 0);
  const composed = await model.compose({ ...prompt, documents }, limits);
  const cut = new Set(partlyRead.map(({ id }) => id));
  return { composed, documents: endsOf({ ...prompt, documents }, composed).filter(({ id }) => !cut.has(id)), partlyRead };
}

function endsOf({ documents }: ChatPrompt, { parts }: ComposedPrompt): DocumentEnd[] {
  return documents.map(({ id, name }) => ({ id, name, end: Math.max(...parts.filter((part) => part.kind === 'document' && part.id === id).map(({ end }) => end)) }));
}

/** A folder that cannot be opened now is no reason not to count. */
export async function keptTokens(model: ActiveModel, tokens: readonly number[], folder: string, memories: WorkerMemories): Promise<number> {
  const store = await memories.store(folder).catch(() => null);
  if (!store) return 0;
  const last = usableSegments(model.loaded.runner, keptPath(store, model.fingerprint, tokens).segments).at(-1);
  return last ? Math.min(tokens.length - 1, last.position + last.tokenCount) : 0;
}
