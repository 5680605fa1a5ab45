/** How a model wants to be spoken to: by its own chat template, by one its vocabulary implies, or not at all. */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export type PromptStyle =
  | { kind: 'chat'; template: string; bosText: string; eosText: string }
  /** A base model: it continues text. */
  | { kind: 'completion' };

interface TemplateMetadata {
  has(key: string): boolean;
  string(key: string): string;
}

/** Turn formats for files without a template, by a token that only that format uses. */
const impliedTemplates: readonly [token: string, template: string][] = [
  [
    '<|im_start|>',
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  ],
  [
    '<|start_header_id|>',
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
  ],
];

export function choosePromptStyle(metadata: TemplateMetadata, tokenizer: Tokenizer): PromptStyle {
  const text = (token: number | undefined): string => (token === undefined ? '' : tokenizer.tokenText(token));
  const chat = (template: string): PromptStyle => ({ kind: 'chat', template, bosText: text(tokenizer.bos), eosText: text(tokenizer.eos) });
  if (metadata.has('tokenizer.chat_template')) return chat(metadata.string('tokenizer.chat_template'));
  // Base models share their vocabulary with the tuned ones: the turn tokens must be the ones that end a text.
  for (const [token, template] of impliedTemplates) {
    const id = tokenizer.findToken(token);
    if (id !== undefined && tokenizer.isControl(id) && tokenizer.eos !== undefined && /im_end|eot_id/.test(text(tokenizer.eos))) return chat(template);
  }
  return { kind: 'completion' };
}
