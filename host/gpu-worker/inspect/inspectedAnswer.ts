/** An answer and its prompt as tokens, with the places of both in their texts. */
import { readFile } from 'node:fs/promises';
import type { ComposedPrompt } from '../../../engine/prompt/composePrompt.ts';
import { HostError } from '../../errors.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { DocumentEnd } from '../memories.ts';
import type { ChatPrompt, Keeping } from '../protocol.ts';
import { composeChat } from '../readSoFar.ts';

export interface InspectedDocument {
  id: string;
  name: string;
  text: string;
  /** Position of its first token. */
  firstToken: number;
  /** Where each of its tokens begins in the text. */
  starts: readonly number[];
}

export interface InspectedAnswer {
  /** The prompt and the answer. */
  tokens: readonly number[];
  promptTokens: number;
  /** Behind the last document; what follows is the question. */
  documentsEnd: number;
  documents: readonly InspectedDocument[];
  /** Where the documents end that are in the prompt as a whole. */
  ends: readonly DocumentEnd[];
  /** Where each token of the answer begins in its text; one more for its end. */
  answerStarts: readonly number[];
  /** Tokens of the whole answer: longer ones are looked at from their start. */
  answerTokens: number;
}

/** Tokens of an answer that are looked at, at most. */
export const mostAnswerTokens = 512;

export async function composeAnswer(model: ActiveModel, request: { prompt: ChatPrompt; answer: string; keeping?: Keeping }, { memories }: JobContext, mostRows: number): Promise<InspectedAnswer> {
  const { composed, documents: ends } = await composeChat(model, request.prompt, request.keeping, memories);
  const { tokens, starts } = model.tokenizer.encodeWithOffsets(request.answer);
  const used = Math.min(tokens.length, mostAnswerTokens, mostRows, model.loaded.contextTokens - composed.tokens.length);
  if (used < 1) throw new HostError('inspection-unavailable', 'There is no answer to look into.', 'Ask a question first.');
  const documents = await placeDocuments(model, request.prompt, composed);
  const documentParts = composed.parts.filter(({ kind }) => kind === 'document');
  return {
    tokens: [...composed.tokens, ...tokens.slice(0, used)],
    promptTokens: composed.tokens.length,
    documentsEnd: documentParts.at(-1)?.end ?? 0,
    documents,
    ends,
    answerStarts: [...starts.slice(0, used), starts[used] ?? request.answer.length],
    answerTokens: tokens.length,
  };
}

/** The documents of a prompt, as far as they are in it. */
export function placeDocuments(model: ActiveModel, prompt: ChatPrompt, composed: ComposedPrompt): Promise<InspectedDocument[]> {
  return Promise.all(
    prompt.documents.flatMap(({ id, name, textPath }) => {
      const place = composed.documentTexts.get(id);
      return place ? [placeDocument(model, { id, name, textPath }, place)] : [];
    }),
  );
}

async function placeDocument(model: ActiveModel, { id, name, textPath }: ChatPrompt['documents'][number], { start, end }: { start: number; end: number }): Promise<InspectedDocument> {
  const text = await readFile(textPath, 'utf8');
  // Prompts hold the text without the space around it.
  const leading = text.length - text.trimStart().length;
  const { starts } = model.tokenizer.encodeWithOffsets(text.trim());
  return { id, name, text, firstToken: start, starts: starts.slice(0, end - start).map((at) => at + leading) };
}

/** The character behind the document's last token that is there. */
export function endOfText({ text, starts }: InspectedDocument, token: number): number {
  return starts[token] ?? text.trimEnd().length;
}
