/**
 * The prompt in its one order: a fixed header, the documents, the system prompt, the history, the
 * question. The order and the header never change, so every chat about the same documents begins
 * with the same tokens, and what was read of them can be shared.
 */
import { EngineError } from '../errors.ts';
import type { TextSegment, Tokenizer } from '../tokenizer/tokenizer.ts';
import type { PromptStyle } from './promptStyle.ts';
import { type ChatMessage, renderChat, type TemplateRunner } from './renderChat.ts';

export interface PromptInput {
  documents: readonly { id: string; name: string; text: string }[];
  system: string;
  history: readonly { role: 'user' | 'assistant'; text: string }[];
  /** Empty while it is still being written. */
  question: string;
}

export type PromptPartKind = 'header' | 'document' | 'system' | 'history' | 'question';

/** A stretch of the prompt's tokens, from `start` up to `end`. */
export interface PromptPart {
  kind: PromptPartKind;
  /** The document's id. */
  id?: string;
  start: number;
  end: number;
}

export interface ComposedPrompt {
  tokens: number[];
  /** In order; every token lies in exactly one part. */
  parts: PromptPart[];
}

export interface PromptPorts {
  runTemplate: TemplateRunner;
  /** The tokens of a document's text; may remember them. */
  encodeDocument(id: string, text: string): readonly number[];
}

/** Byte-stable: changing a character makes every memory of every document worthless. */
const header = 'You are a careful assistant. You answer questions about the documents that you are given.';

interface LabelledSegment extends TextSegment {
  kind: PromptPartKind;
  id?: string;
  /** The whole text of a document, whose tokens may be known. */
  document?: boolean;
}

/** Throws `template-failed` when the model's template cannot write this chat. */
export async function composePrompt(tokenizer: Tokenizer, style: PromptStyle, input: PromptInput, ports: PromptPorts): Promise<ComposedPrompt> {
  const segments = style.kind === 'chat' ? await chatSegments(style, input, ports) : completionSegments(input);
  const tokens: number[] = [];
  const parts: PromptPart[] = [];
  const startsWithBos = tokenizer.bos !== undefined && tokenizer.addBos;
  if (startsWithBos && tokenizer.bos !== undefined) {
    tokens.push(tokenizer.bos);
    parts.push({ kind: 'header', start: 0, end: 1 });
  }
  for (const { kind, id, document, text, special } of segments) {
    let encoded = document && id !== undefined ? ports.encodeDocument(id, text) : tokenizer.encodeSegments([{ text, special }]);
    // Templates that write the beginning-of-text token themselves must not double it.
    if (startsWithBos && tokens.length === 1 && encoded[0] === tokenizer.bos) encoded = encoded.slice(1);
    const start = tokens.length;
    for (const token of encoded) tokens.push(token);
    const last = parts.at(-1);
    if (last && last.kind === kind && last.id === id) last.end = tokens.length;
    else parts.push({ kind, id, start, end: tokens.length });
  }
  return { tokens, parts };
}

/** What goes before the system prompt: the header and the framed documents. */
function documentSegments({ documents, system }: PromptInput): LabelledSegment[] {
  const segments: LabelledSegment[] = [];
  if (documents.length > 0) segments.push({ kind: 'header', text: header, special: false });
  for (const { id, name, text } of documents) {
    segments.push(
      { kind: 'document', id, text: `\n\nDocument "${name}":\n\n`, special: false },
      { kind: 'document', id, text: text.trim(), special: false, document: true },
      { kind: 'document', id, text: `\n\nEnd of document "${name}".`, special: false },
    );
  }
  if (system.trim() !== '') segments.push({ kind: 'system', text: `${segments.length > 0 ? '\n\n' : ''}${system.trim()}`, special: false });
  return segments;
}

async function chatSegments(style: Extract<PromptStyle, { kind: 'chat' }>, input: PromptInput, ports: PromptPorts): Promise<LabelledSegment[]> {
  const lead = documentSegments(input);
  const turns: ChatMessage[] = [...input.history.map(({ role, text }) => ({ role, content: text })), { role: 'user', content: input.question }];
  const context = { add_generation_prompt: true, bos_token: style.bosText, eos_token: style.eosText };
  const render = (messages: ChatMessage[]): Promise<TextSegment[]> => renderChat(ports.runTemplate, style.template, { ...context, messages });
  // Content is cut into its own segments afterwards; the template only needs to see that there is some.
  const withSystem = async (): Promise<TextSegment[]> => render([{ role: 'system', content: '' }, ...turns]);
  if (lead.length === 0) return label(await render(turns), turns.length, [], null);
  try {
    return label(await withSystem(), turns.length, lead, 'system');
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'template-failed') throw error;
    // Some templates know no system role; then the first question carries it.
    return label(await render(turns), turns.length, lead, 'user');
  }
}

/**
 * Gives every rendered segment its part. Rendered segments alternate: template, content, template, …
 * `lead` goes where the system message's content stands, or before the first turn's.
 */
function label(rendered: readonly TextSegment[], turns: number, lead: readonly LabelledSegment[], place: 'system' | 'user' | null): LabelledSegment[] {
  const out: LabelledSegment[] = [];
  const messages = (rendered.length - 1) / 2;
  for (let index = 0; index < rendered.length; index++) {
    const message = Math.floor(index / 2);
    const turn = message - (messages - turns);
    const last = turn >= turns - 1;
    const kind: PromptPartKind = message === 0 && lead.length > 0 ? (index === 0 ? 'header' : 'system') : last ? 'question' : 'history';
    const content = index % 2 === 1;
    if (content && message === 0 && place === 'system') out.push(...lead);
    else if (content && message === 0 && place === 'user') {
      out.push(...lead, { kind: 'system', text: '\n\n', special: false }, { ...rendered[index], text: rendered[index].text.trim(), kind: last ? 'question' : 'history' });
    } else if (rendered[index].text !== '') {
      const text = content ? rendered[index].text.trim() : rendered[index].text;
      out.push({ text, special: rendered[index].special, kind: !content && turn < 0 && index > 0 ? 'system' : kind });
    }
  }
  return out;
}

function completionSegments(input: PromptInput): LabelledSegment[] {
  const segments = documentSegments(input);
  const say = (kind: PromptPartKind, text: string): void => void segments.push({ kind, text: `${segments.length > 0 ? '\n\n' : ''}${text}`, special: false });
  for (const { role, text } of input.history) say('history', `${role === 'user' ? 'Question' : 'Answer'}: ${text.trim()}`);
  say('question', `Question: ${input.question.trim()}\n\nAnswer:`);
  return segments;
}
