/** How many tokens the next prompt has, part by part, and how many of them are cached already. */
import type { ActiveModel } from '../activeModel.ts';
import type { ChatPrompt, PromptMeasure } from '../protocol.ts';

export async function measure(model: ActiveModel, prompt: ChatPrompt): Promise<PromptMeasure> {
  const { tokens, parts } = await model.compose(prompt);
  const count = (kind: string, id?: string): number =>
    parts.filter((part) => part.kind === kind && (id === undefined || part.id === id)).reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    headerTokens: count('header'),
    systemTokens: count('system'),
    documents: prompt.documents.map(({ id }) => ({ id, tokens: count('document', id) })),
    historyTokens: count('history'),
    questionTokens: count('question'),
    totalTokens: tokens.length,
    cachedTokens: model.loaded.sequence.reusable(tokens),
    windowTokens: model.loaded.contextTokens,
    offloadedTokens: model.loaded.runner.far?.farTokensAt(tokens.length) ?? 0,
  };
}
