/** How many tokens the next prompt has, part by part, and how many of them are cached already. */
import type { ActiveModel } from '../activeModel.ts';
import type { WorkerMemories } from '../memories.ts';
import type { ChatPrompt, Keeping, PromptMeasure } from '../protocol.ts';
import { composeChat, keptTokens } from '../readSoFar.ts';

export async function measure(model: ActiveModel, { prompt, keeping }: { prompt: ChatPrompt; keeping?: Keeping }, memories: WorkerMemories): Promise<PromptMeasure> {
  const { tokens, parts } = (await composeChat(model, prompt, keeping, memories)).composed;
  const count = (kind: string, id?: string): number =>
    parts.filter((part) => part.kind === kind && (id === undefined || part.id === id)).reduce((sum, { start, end }) => sum + end - start, 0);
  const kept = keeping ? await keptTokens(model, tokens, keeping.folder, memories) : 0;
  return {
    headerTokens: count('header'),
    systemTokens: count('system'),
    documents: prompt.documents.map(({ id }) => ({ id, tokens: count('document', id) })),
    historyTokens: count('history'),
    questionTokens: count('question'),
    totalTokens: tokens.length,
    cachedTokens: Math.max(model.loaded.sequence.reusable(tokens), kept),
    windowTokens: model.loaded.contextTokens,
    offloadedTokens: model.loaded.runner.far?.farTokensAt(tokens.length) ?? 0,
  };
}
