import { EngineError } from '../errors.ts';
import type { TextSegment } from '../tokenizer/tokenizer.ts';
import { checkOutput } from './templateText.ts';

export { renderTemplateText } from './templateText.ts';

/** Runs a chat template with `context`, which is plain data; the caller limits its time and memory. */
export type TemplateRunner = (template: string, context: unknown) => Promise<string>;

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** What a template is given besides the messages. */
export interface TemplateInputs {
  /** Whether the prompt ends with the start of an answer. */
  readonly addGenerationPrompt: boolean;
  /** The text of the BOS token; empty when there is none. */
  readonly bosToken: string;
  readonly eosToken: string;
  /** More variables, such as `enable_thinking`. The template may write them as special text. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface ChatRequest extends TemplateInputs {
  readonly messages: readonly ChatMessage[];
}

/** A stretch of a rendered chat: text of the template, or the content of a message by its index. */
export type RenderedPiece = { readonly text: string } | { readonly message: number };

/**
 * Renders a chat as segments: what the template wrote is special, what people and documents wrote is
 * plain, so that a document cannot forge a turn. Rejects with `template-failed`.
 */
export async function renderChat(template: string, request: ChatRequest, run: TemplateRunner): Promise<TextSegment[]> {
  const roles = request.messages.map((message) => message.role);
  const pieces = await renderPieces(template, roles, request, run);
  return pieces
    .map((piece) =>
      'text' in piece
        ? { text: piece.text, special: true }
        : { text: request.messages[piece.message].content, special: false },
    )
    .filter((segment) => segment.text !== '');
}

/**
 * Renders a chat of these roles and tells where the content of each message goes. The template never
 * sees a content: it gets an unguessable word in its place, and the output is cut at these words.
 */
export async function renderPieces(
  template: string,
  roles: readonly string[],
  inputs: TemplateInputs,
  run: TemplateRunner,
): Promise<RenderedPiece[]> {
  const secret = randomWord();
  const messages = roles.map((role, index) => ({ role, content: `${secret}x${index}x` }));
  const context = {
    ...inputs.extra,
    messages,
    add_generation_prompt: inputs.addGenerationPrompt,
    bos_token: inputs.bosToken,
    eos_token: inputs.eosToken,
  };
  return cutAtContents(await runWithoutCalls(template, context, run), secret, roles);
}

/**
 * In Jinja a loop over what is not there has no rounds, as over the `tool_calls` of a message without any; where it is an
 * error instead, messages get an empty list. Not at once: other templates take a list for calls.
 */
async function runWithoutCalls(template: string, context: { messages: readonly object[] }, run: TemplateRunner): Promise<string> {
  try {
    return await runChecked(template, context, run);
  } catch (error) {
    if (!(error instanceof EngineError) || !error.message.includes('got UndefinedValue')) throw error;
    return runChecked(template, { ...context, messages: context.messages.map((message) => ({ ...message, tool_calls: [] })) }, run);
  }
}

async function runChecked(template: string, context: unknown, run: TemplateRunner): Promise<string> {
  try {
    const output = await run(template, context);
    checkOutput(output);
    return output;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw templateFailed(`failed: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function cutAtContents(output: string, secret: string, roles: readonly string[]): RenderedPiece[] {
  const pieces: RenderedPiece[] = [];
  const missing = new Set(roles.keys());
  // Splitting at an expression with a group gives text and message index in turn.
  for (const [place, part] of output.split(new RegExp(`${secret}x(\\d+)x`, 'u')).entries()) {
    if (place % 2 === 1) {
      pieces.push({ message: Number(part) });
      missing.delete(Number(part));
    } else if (part.toLowerCase().includes(secret)) {
      throw templateFailed('changes the text of messages, so that it cannot be told from the template');
    } else if (part !== '') {
      pieces.push({ text: part });
    }
  }
  const [lost] = missing;
  if (lost !== undefined) throw templateFailed(`leaves out or changes the text of message ${lost + 1} (${roles[lost]})`);
  return pieces;
}

/** 128 random bits in a word that templates have no reason to touch. */
function randomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `content${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function templateFailed(what: string, cause?: unknown): EngineError {
  return new EngineError(
    'template-failed',
    `The model's chat template ${what}.`,
    'Choose another conversion of this model; its template is faulty or not supported.',
    { cause },
  );
}
