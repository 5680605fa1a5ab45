/** How many tokens the next prompt has, part by part, and how many of them are cached already. */
import type { ActiveModel } from '../activeModel.ts';
import { keptPath, type WorkerMemories } from '../memories.ts';
import type { ChatPrompt, Keeping, PromptMeasure } from '../protocol.ts';

export async function measure(model: ActiveModel, { prompt, keeping }: { prompt: ChatPrompt; keeping?: Keeping }, memories: WorkerMemories): Promise<PromptMeasure> {
  const { tokens, parts } = await model.compose(prompt);
  const count = (kind: string, id?: string): number =>
    parts.filter((part) => part.kind === kind && (id === undefined || part.id === id)).reduce((sum, { start, end }) => sum + end - start, 0);
  const keptTokens = keeping ? await keptOf(model, tokens, keeping.folder, memories) : 0;
  return {
    headerTokens: count('header'),
    systemTokens: count('system'),
    documents: prompt.documents.map(({ id }) => ({ id, tokens: count('document', id) })),
    historyTokens: count('history'),
    questionTokens: count('question'),
    totalTokens: tokens.length,
    cachedTokens: Math.max(model.loaded.sequence.reusable(tokens), keptTokens),
    windowTokens: model.loaded.contextTokens,
    offloadedTokens: model.loaded.runner.far?.farTokensAt(tokens.length) ?? 0,
  };
}

/** A folder that cannot be opened now is no reason not to count. */
async function keptOf(model: ActiveModel, tokens: readonly number[], folder: string, memories: WorkerMemories): Promise<number> {
  const store = await memories.store(folder).catch(() => null);
  return store ? Math.min(tokens.length - 1, keptPath(store, model.fingerprint, tokens).tokens) : 0;
}
