/** All suites by name. */
import type { MakeQuiz } from '../quiz.ts';
import { multikey, needle, needles, passkey } from './needles.ts';
import { babi, squad } from './questionSets.ts';
import { counting, hops, order } from './reasoning.ts';

export interface Suite {
  summary: string;
  /** null: nothing is hidden. */
  quiz: MakeQuiz | null;
  /** Stretches near the end of each document that the book itself goes on with. */
  continuations: number;
  /** The question set it cannot do without. */
  needs?: 'paragraphs' | 'stories';
}

export const suites = {
  needle: { summary: 'one hidden sentence', quiz: needle, continuations: 0 },
  needles: { summary: 'five hidden sentences, each asked for', quiz: needles, continuations: 0 },
  multikey: { summary: 'a hidden sentence among near duplicates', quiz: multikey, continuations: 0 },
  hops: { summary: 'three hidden sentences that lead from one to the next', quiz: hops, continuations: 0 },
  counting: { summary: 'how often something happened', quiz: counting, continuations: 0 },
  order: { summary: 'what came first, last, in what order', quiz: order, continuations: 0 },
  passkey: { summary: 'the classic pass key', quiz: passkey, continuations: 0 },
  squad: { summary: 'a paragraph of SQuAD in a novel, with its questions', quiz: squad, continuations: 0, needs: 'paragraphs' },
  babi: { summary: 'the facts of a bAbI story spread through a novel', quiz: babi, continuations: 0, needs: 'stories' },
  continuation: { summary: '64 tokens of the book itself', quiz: null, continuations: 2 },
  mixed: { summary: 'five hidden sentences and two continuations of each document, which is read once', quiz: needles, continuations: 2 },
} as const satisfies Record<string, Suite>;

export type SuiteName = keyof typeof suites;
export const suiteNames = Object.keys(suites) as SuiteName[];
