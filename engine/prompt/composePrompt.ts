import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import {
  chatMessages,
  completionPieces,
  withoutSystemRole,
  type PartKind,
  type PromptMessage,
  type PromptParts,
  type PromptPiece,
} from './promptParts.ts';
import type { PromptStyle } from './promptStyle.ts';
import { renderPieces, type RenderedPiece, type TemplateRunner } from './renderChat.ts';

export interface ComposeOptions {
  readonly runTemplate: TemplateRunner;
  /**
   * The tokens of a document's trimmed text, as `tokenizer.encode` gives them: a place to keep them,
   * because this is the expensive part.
   */
  readonly encodeDocument?: (id: string, text: string) => readonly number[];
  /** More variables for the template. `enable_thinking` is false unless given: small models think at length. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The tokens `start` to `end - 1` of a prompt. */
export interface PromptPart {
  readonly kind: PartKind;
  /** The id of a document. */
  readonly id?: string;
  readonly start: number;
  end: number;
}

export interface ComposedPrompt {
  readonly tokens: number[];
  /** In order and without gaps: every token belongs to one part. */
  readonly parts: PromptPart[];
  /** Where the documents' own texts lie, by their ids. */
  readonly documentTexts: ReadonlyMap<string, { readonly start: number; readonly end: number }>;
}

/** Styles whose template has been seen to refuse or misplace a system message. */
const withoutSystem = new WeakSet<PromptStyle>();

/**
 * Makes the tokens of a prompt. The order is fixed: header, documents, system text, history, question;
 * two prompts about the same documents share every token up to the end of the last document. What a
 * template writes in front of a part counts as that part. Rejects with `template-failed`.
 */
export async function composePrompt(
  tokenizer: Tokenizer,
  style: PromptStyle,
  parts: PromptParts,
  options: ComposeOptions,
): Promise<ComposedPrompt> {
  const prompt = new PromptBuilder(tokenizer, options);
  if (style.kind === 'completion') {
    for (const piece of completionPieces(parts)) prompt.addPiece(piece);
    return prompt;
  }
  const { messages, pieces } = await renderMessages(tokenizer, style, chatMessages(parts), options);
  let pendingTemplate: string[] = [];
  for (const piece of pieces) {
    if ('text' in piece) {
      pendingTemplate.push(piece.text);
      continue;
    }
    for (const content of messages[piece.message].pieces) {
      if (content.kind === 'question' && parts.question === undefined) return prompt;
      for (const text of pendingTemplate) prompt.addTemplateText(text, content);
      pendingTemplate = [];
      prompt.addPiece(content);
    }
  }
  for (const text of pendingTemplate) prompt.addTemplateText(text, { kind: 'question' });
  return prompt;
}

interface RenderedMessages {
  readonly messages: readonly PromptMessage[];
  readonly pieces: readonly RenderedPiece[];
}

/** Renders with a system message, or with its text in the first turn where the template has no place for it. */
async function renderMessages(
  tokenizer: Tokenizer,
  style: PromptStyle & { readonly kind: 'chat' },
  messages: readonly PromptMessage[],
  options: ComposeOptions,
): Promise<RenderedMessages> {
  const render = (rendered: readonly PromptMessage[]): Promise<RenderedPiece[]> =>
    renderPieces(
      style.template,
      rendered.map((message) => message.role),
      {
        addGenerationPrompt: true,
        bosToken: tokenizer.bos === undefined ? '' : tokenizer.tokenText(tokenizer.bos),
        eosToken: tokenizer.eos === undefined ? '' : tokenizer.tokenText(tokenizer.eos),
        extra: { enable_thinking: false, ...options.extra },
      },
      options.runTemplate,
    );
  let refusal: unknown;
  if (!withoutSystem.has(style)) {
    try {
      const pieces = await render(messages);
      if (startsWithFirstMessage(pieces)) return { messages, pieces };
    } catch (error) {
      refusal = error;
    }
  }
  try {
    const merged = withoutSystemRole(messages);
    const pieces = await render(merged);
    withoutSystem.add(style);
    return { messages: merged, pieces };
  } catch (error) {
    throw refusal ?? error;
  }
}

/** Some templates put the system text into the last turn, after all that may change. */
function startsWithFirstMessage(pieces: readonly RenderedPiece[]): boolean {
  const first = pieces.find((piece) => 'message' in piece);
  return first?.message === 0;
}

/** Gathers tokens and the parts they belong to. */
class PromptBuilder implements ComposedPrompt {
  readonly tokens: number[] = [];
  readonly parts: PromptPart[] = [];
  readonly documentTexts = new Map<string, { start: number; end: number }>();
  readonly #tokenizer: Tokenizer;
  readonly #encodeDocument: (id: string, text: string) => readonly number[];

  constructor(tokenizer: Tokenizer, options: ComposeOptions) {
    this.#tokenizer = tokenizer;
    this.#encodeDocument = options.encodeDocument ?? ((_, text) => tokenizer.encode(text));
  }

  addTemplateText(text: string, part: Pick<PromptPiece, 'kind' | 'documentId'>): void {
    this.#add(this.#tokenizer.encodeSegments([{ text, special: true }]), part);
  }

  addPiece(piece: PromptPiece): void {
    const { documentId, isDocumentText, text } = piece;
    const isDocument = isDocumentText === true && documentId !== undefined;
    const start = this.#add(isDocument ? this.#encodeDocument(documentId, text) : this.#tokenizer.encode(text), piece);
    if (isDocument) this.documentTexts.set(documentId, { start, end: this.tokens.length });
  }

  /** Returns where they begin. */
  #add(tokens: readonly number[], { kind, documentId }: Pick<PromptPiece, 'kind' | 'documentId'>): number {
    const start = this.tokens.length;
    const { bos, addBos } = this.#tokenizer;
    // Templates often write the BOS token themselves.
    if (start === 0 && addBos && bos !== undefined && tokens[0] !== bos) this.tokens.push(bos);
    const begin = this.tokens.length;
    for (const token of tokens) this.tokens.push(token);
    const last = this.parts.at(-1);
    if (last !== undefined && last.kind === kind && last.id === documentId) last.end = this.tokens.length;
    else this.parts.push({ kind, id: documentId, start, end: this.tokens.length });
    return begin;
  }
}
