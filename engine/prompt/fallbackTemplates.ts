import type { Tokenizer } from '../tokenizer/tokenizer.ts';

const chatMl = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** Gemma has no system role: its text goes in front of the first turn. */
const gemma = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set prefix = messages[0]['content'] + '\\n\\n' %}{% set turns = messages[1:] %}{% else %}{% set prefix = '' %}{% set turns = messages %}{% endif %}{% for message in turns %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}{{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else '') + message['content'] + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`;

const llama3 = `{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`;

const fallbacks: readonly { readonly marks: readonly string[]; readonly template: string }[] = [
  { marks: ['<start_of_turn>', '<end_of_turn>'], template: gemma },
  { marks: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'], template: llama3 },
  { marks: ['<|im_start|>', '<|im_end|>'], template: chatMl },
];

/** The chat template that the vocabulary suggests for a file that has none. */
export function fallbackTemplate(tokenizer: Tokenizer): string | undefined {
  const has = (mark: string): boolean => tokenizer.findToken(mark) !== undefined;
  return fallbacks.find(({ marks }) => marks.every(has))?.template;
}
