/**
 * Chat templates (Jinja, `tokenizer.chat_template`) without their danger: what documents and people
 * write must stay plain text, so the template only ever sees placeholders. The result is split at
 * them, and only the template's own text may hold control tokens.
 */
import { Template } from '@huggingface/jinja';
import { EngineError } from '../errors.ts';
import type { TextSegment } from '../tokenizer/tokenizer.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface TemplateContext {
  messages: readonly ChatMessage[];
  add_generation_prompt: boolean;
  bos_token: string;
  eos_token: string;
}

/** Renders a template, under limits of time and memory: templates come from model files. */
export type TemplateRunner = (template: string, context: TemplateContext) => Promise<string>;

const maximumTemplateCharacters = 256 * 1024;
const maximumOutputCharacters = 1024 * 1024;

/** The rendering itself, to be called by a `TemplateRunner`. May throw anything, or never end. */
export function renderTemplateText(template: string, context: TemplateContext): string {
  const text = new Template(template).render({ ...context, strftime_now: (format: string) => formatDate(new Date(), format), enable_thinking: false });
  if (text.length > maximumOutputCharacters) throw new Error(`it wrote more than ${maximumOutputCharacters} characters`);
  return text;
}

/** The chat as segments: the template's text is special, every message's content is not. */
export async function renderChat(run: TemplateRunner, template: string, context: TemplateContext): Promise<TextSegment[]> {
  if (template.length > maximumTemplateCharacters) throw failed(`is ${template.length} characters long; at most ${maximumTemplateCharacters} are accepted`);
  // Random, so that no text can contain one; letters only, so that templates leave it whole.
  const placeholders = context.messages.map(() => `placeholder${crypto.randomUUID().replaceAll('-', '')}end`);
  const messages = context.messages.map(({ role }, i) => ({ role, content: placeholders[i] }));
  let rest = await run(template, { ...context, messages });
  const segments: TextSegment[] = [];
  for (const [i, placeholder] of placeholders.entries()) {
    const at = rest.indexOf(placeholder);
    if (at < 0) throw failed(`does not write the ${context.messages[i].role} message, or changes or reorders it`);
    segments.push({ text: rest.slice(0, at), special: true }, { text: context.messages[i].content, special: false });
    rest = rest.slice(at + placeholder.length);
  }
  if (placeholders.some((placeholder) => rest.includes(placeholder))) throw failed('writes a message twice');
  return [...segments, { text: rest, special: true }];
}

function failed(what: string): EngineError {
  return new EngineError('template-failed', `The model's chat template ${what}.`, 'Choose another conversion of this model.');
}

/** The few fields that templates in the wild ask for: "%d %b %Y" and ISO dates. */
function formatDate(date: Date, format: string): string {
  const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
  const two = (value: number): string => String(value).padStart(2, '0');
  const fields: Record<string, string> = {
    d: two(date.getDate()),
    m: two(date.getMonth() + 1),
    Y: String(date.getFullYear()),
    B: months[date.getMonth()],
    b: months[date.getMonth()].slice(0, 3),
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
  };
  return format.replace(/%([dmYBbHMS])/g, (_, field: string) => fields[field]);
}
