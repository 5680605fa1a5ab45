/** How many tokens the next prompt has, part by part, and how many of them are cached already. */
import type { ActiveModel } from '../activeModel.ts';
import type { WorkerMemories } from '../memories.ts';
import type { Keeping, Prompt, PromptMeasure } from '../protocol.ts';
import { composeChat, keptTokens } from '../readSoFar.ts';
import { plainTokens } from './generate.ts';

export async function measure(model: ActiveModel, { prompt, keeping }: { prompt: Prompt; keeping?: Keeping }, memories: WorkerMemories): Promise<PromptMeasure> {
  const chat = prompt.kind === 'chat';
  const { tokens, parts } = chat ? (await composeChat(model, prompt, keeping, memories)).composed : { tokens: plainTokens(model, prompt), parts: [] };
  const count = (kind: string, id?: string): number =>
    parts.filter((part) => part.kind === kind && (id === undefined || part.id === id)).reduce((sum, { start, end }) => sum + end - start, 0);
  const kept = keeping ? await keptTokens(model, tokens, keeping.folder, memories) : 0;
  return {
    headerTokens: count('header'),
    systemTokens: count('system'),
    documents: (chat ? prompt.documents : []).map(({ id }) => ({ id, tokens: count('document', id) })),
    historyTokens: count('history'),
    questionTokens: count('question'),
    totalTokens: tokens.length,
    cachedTokens: Math.max(model.loaded.sequence.reusable(tokens), kept),
    windowTokens: model.loaded.contextTokens,
    trainedTokens: Math.min(model.loaded.contextTokens, model.loaded.spec.trainedTokens),
    layers: model.description.layerKinds,
    offloadedTokens: model.loaded.runner.far?.farTokensAt(tokens.length) ?? 0,
    keptBytesPerToken: model.keptBytesPerToken,
  };
}
