/** A document with what is asked of it, as tokens. The same seed gives the same tokens. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { composePrompt } from '../../engine/prompt/composePrompt.ts';
import type { PromptStyle } from '../../engine/prompt/promptStyle.ts';
import type { TemplateRunner } from '../../engine/prompt/renderChat.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { hideInStretch, stretchOf } from './haystack.ts';
import type { QuestionSets } from './quiz.ts';
import { type SuiteName, suites, type Suite } from './suites/suites.ts';

/** Tokens of the book after a point in the document, or an answer to a question about it. */
export interface Tail {
  kind: 'continuation' | 'question';
  /** Read exactly, from the start of the prompt on. */
  prefix: readonly number[];
  /** Where in `prefix` the document ends, or the prefix. */
  documentEnd: number;
  /** Given token by token and decoded by the policy. */
  answer: readonly number[];
  /** Where in `answer` that begins which greedy decoding must write for the question to count as answered. */
  answerFrom: number;
}

export interface TruthDocument {
  /** Tokens of the document alone. */
  tokens: readonly number[];
  /** In an order that only ever cuts the prompt back by a tail. */
  tails: readonly Tail[];
}

export interface DocumentOptions {
  tokenizer: Tokenizer;
  style: PromptStyle;
  runTemplate: TemplateRunner;
  suite: SuiteName;
  /** The books to take stretches from, one for each seed in turn. */
  books: readonly string[];
  questions: QuestionSets;
  documentTokens: number;
  depth: number | null;
  seed: number;
}

export const continuationTokens = 64;
/** Between the ends of two continuations' prefixes. */
const continuationStride = 96;

export async function makeDocument(options: DocumentOptions): Promise<TruthDocument> {
  const { tokenizer, books, documentTokens, depth, seed, questions } = options;
  const { quiz, continuations }: Suite = suites[options.suite];
  const random = seededRandom(seed);
  const stretch = stretchOf(books[seed % books.length], random, documentTokens);
  const { hidden, asked } = quiz?.({ random, haystack: stretch, depth, questions }) ?? { hidden: [], asked: [] };
  const tokens = hideInStretch(tokenizer, { stretch, hidden, tokens: documentTokens, quietTokens: continuations * continuationStride });
  const compose = (question: string): Promise<number[]> => promptOf(options, tokens, question);
  const opening = await compose('');
  const begin = indexOfRun(opening, tokens);
  const tails: Tail[] = [];
  for (let left = continuations; left > 0; left--) {
    const end = documentTokens - left * continuationStride;
    tails.push({ kind: 'continuation', prefix: opening.slice(0, begin + end), documentEnd: begin + end, answer: tokens.slice(end, end + continuationTokens), answerFrom: 0 });
  }
  for (const { question, lead, answer } of asked) {
    // An answer in a chat starts a line, one after "Answer:" goes on with it.
    const given = tokenizer.encode(options.style.kind === 'chat' ? lead : ` ${lead}`);
    tails.push({ kind: 'question', prefix: await compose(question), documentEnd: begin + tokens.length, answer: [...given, ...tokenizer.encode(` ${answer}`)], answerFrom: given.length });
  }
  return { tokens, tails };
}

/** The prompt as the product composes it. */
async function promptOf({ tokenizer, style, runTemplate }: DocumentOptions, tokens: readonly number[], question: string): Promise<number[]> {
  const document = { id: 'document', name: 'The document', text: 'stands for the tokens' };
  const composed = await composePrompt(tokenizer, style, { documents: [document], system: '', history: [], question }, { runTemplate, encodeDocument: () => tokens });
  return composed.tokens;
}

function indexOfRun(tokens: readonly number[], run: readonly number[]): number {
  for (let begin = 0; begin + run.length <= tokens.length; begin++) {
    let length = 0;
    while (length < run.length && tokens[begin + length] === run[length]) length++;
    if (length === run.length) return begin;
  }
  throw new Error('the prompt does not hold the document');
}
