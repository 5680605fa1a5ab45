import type { Tokenizer } from '../tokenizer/tokenizer.ts';

const chatMl = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** Gemma has no system role: its text goes in front of the first turn. */
const gemma = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set prefix = messages[0]['content'] + '\\n\\n' %}{% set turns = messages[1:] %}{% else %}{% set prefix = '' %}{% set turns = messages %}{% endif %}{% for message in turns %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}{{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else '') + message['content'] + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`;

const llama3 = `{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`;

const phi = `{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`;

const granite = `{% for message in messages %}{{ '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif %}`;

const rwkvWorld = `{% for message in messages %}{{ ('System' if message['role'] == 'system' else 'User' if message['role'] == 'user' else 'Assistant') + ': ' + message['content'] + '\\n\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}`;

/** Converters write this name where the template should be. */
export const namedTemplates: Readonly<Record<string, string>> = { 'rwkv-world': rwkvWorld };

const fallbacks: readonly { readonly start: string; readonly end: string; readonly template: string }[] = [
  { start: '<start_of_turn>', end: '<end_of_turn>', template: gemma },
  { start: '<|start_header_id|>', end: '<|eot_id|>', template: llama3 },
  { start: '<|im_start|>', end: '<|im_end|>', template: chatMl },
  { start: '<|start_of_role|>', end: '<|end_of_text|>', template: granite },
  { start: '<|assistant|>', end: '<|end|>', template: phi },
];

/**
 * The chat template that the vocabulary suggests for a file that has none. A base model has the
 * vocabulary of its tuned sibling without having learnt the turns, so one of `ends`, the tokens with
 * which the file says that a text or turn ends, must be the end of a turn.
 */
export function fallbackTemplate(tokenizer: Tokenizer, ends: readonly number[]): string | undefined {
  const suits = (start: string, end: string): boolean =>
    tokenizer.findToken(start) !== undefined && ends.includes(tokenizer.findToken(end) ?? -1);
  return fallbacks.find(({ start, end }) => suits(start, end))?.template;
}
