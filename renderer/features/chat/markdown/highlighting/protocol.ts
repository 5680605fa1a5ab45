/**
 * What the window and its highlighting worker say to each other. The worker gets code and answers in numbers only: the text
 * that is shown is always the window's own, and a colour one of a fixed list.
 */
import type { CodeLanguage } from './languages.ts';

export interface HighlightRequest {
  id: number;
  language: CodeLanguage;
  code: string;
}

export interface HighlightAnswer {
  id: number;
  /** Null for code that could not be highlighted. */
  runs: CodeRuns | null;
}

/** Length and colour of each run of characters in turn, through all of the code. */
export type CodeRuns = Uint32Array;

/** Variables of our themes, by the number that stands for them. The first is that of code without a colour of its own. */
export const codeColours = [
  '--code-foreground',
  '--code-token-constant',
  '--code-token-string',
  '--code-token-string-expression',
  '--code-token-comment',
  '--code-token-keyword',
  '--code-token-parameter',
  '--code-token-function',
  '--code-token-punctuation',
  '--code-token-link',
  '--code-token-inserted',
  '--code-token-deleted',
  '--code-token-changed',
] as const;

export function plainRuns(code: string): CodeRuns {
  return Uint32Array.of(code.length, 0);
}

/** The runs in an answer for this code, plain where the answer does not fit it. */
export function runsOf(answer: HighlightAnswer, code: string): CodeRuns {
  return answer.runs && fits(answer.runs, code) ? answer.runs : plainRuns(code);
}

export function isAnswer(data: unknown): data is HighlightAnswer {
  if (typeof data !== 'object' || data === null) return false;
  const { id, runs } = data as Record<string, unknown>;
  return typeof id === 'number' && (runs === null || runs instanceof Uint32Array);
}

function fits(runs: CodeRuns, code: string): boolean {
  if (runs.length % 2 !== 0) return false;
  let characters = 0;
  for (let at = 0; at < runs.length; at += 2) {
    if (runs[at + 1] >= codeColours.length) return false;
    characters += runs[at];
  }
  return characters === code.length;
}
