/** The books and question sets of a truth bench: a folder of them, or the excerpt that comes along. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QuestionSets } from '../../bench/truth/quiz.ts';
import { parseParagraphs, parseStories } from '../../bench/truth/suites/questionSets.ts';
import { type Suite, type SuiteName, suites } from '../../bench/truth/suites/suites.ts';
import { HostError } from '../errors.ts';
import { sampleBookPath } from '../locations.ts';

export interface EvalData {
  books: string[];
  questions: QuestionSets;
}

/** The folder's `books/*.txt` in the order of their names, `squad/*.json` and `babi/qa*.txt`. */
export function readEvalData(folder: string | null, book: string | null, wanted: readonly SuiteName[]): EvalData {
  const needs = new Set(wanted.map((name) => (suites[name] as Suite).needs));
  const paragraphs = needs.has('paragraphs') ? filesOf(folder, 'squad', /xquad.*\.json$/).flatMap((path) => parseParagraphs(readFileSync(path, 'utf8'))) : [];
  const stories = needs.has('stories') ? filesOf(folder, 'babi', /^qa\d.*\.txt$/).flatMap((path) => parseStories(readFileSync(path, 'utf8'))) : [];
  if (folder === null) return { books: [readFileSync(sampleBookPath(), 'utf8')], questions: { paragraphs, stories } };
  const books = filesOf(folder, 'books', /\.txt$/).filter((path) => book === null || path.endsWith(join('books', book)));
  if (books.length === 0) throw new HostError('usage', `${join(folder, 'books')} has no book ${book ?? ''}.`, 'Give the file name of a book there with --book, or leave it out to use all.');
  return { books: books.map((path) => readFileSync(path, 'utf8')), questions: { paragraphs, stories } };
}

function filesOf(folder: string | null, part: string, names: RegExp): string[] {
  const path = folder === null ? null : join(folder, part);
  const files = path !== null && existsSync(path) ? readdirSync(path).filter((name) => names.test(name)).sort() : [];
  if (files.length > 0 && path !== null) return files.map((name) => join(path, name));
  const where = path === null ? 'This suite needs a question set, which does not come along' : `${path} has no file that fits`;
  throw new HostError('usage', `${where}.`, 'Point --data-sets to a folder with books/*.txt, squad/xquad*.json and babi/qa*.txt.');
}
