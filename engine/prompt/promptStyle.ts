import type { TokenizerMetadata } from '../tokenizer/metadata.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { fallbackTemplate, namedTemplates } from './fallbackTemplates.ts';

/** How a model is spoken to: in turns of a chat, or with a text to go on with. */
export type PromptStyle =
  | { readonly kind: 'chat'; readonly template: string; readonly source: 'file' | 'fallback' }
  | { readonly kind: 'completion' };

/**
 * The style of a model: the chat template of its file, else one that its vocabulary and end tokens
 * suggest. A model with neither was not made for chats and gets plain text.
 */
export function choosePromptStyle(metadata: Pick<TokenizerMetadata, 'stringOr' | 'integerOr'>, tokenizer: Tokenizer): PromptStyle {
  const own = metadata.stringOr('tokenizer.chat_template', '');
  const named = namedTemplates[own.trim()];
  if (named !== undefined) return { kind: 'chat', template: named, source: 'fallback' };
  if (own.trim() !== '') return { kind: 'chat', template: own, source: 'file' };
  const ends = ['eos', 'eot'].map((name) => metadata.integerOr(`tokenizer.ggml.${name}_token_id`, -1));
  const template = fallbackTemplate(tokenizer, ends);
  return template === undefined ? { kind: 'completion' } : { kind: 'chat', template, source: 'fallback' };
}
