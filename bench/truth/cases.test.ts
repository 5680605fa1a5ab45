import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readGguf } from '../../engine/formats/gguf/readGguf.ts';
import { memorySource } from '../../engine/formats/gguf/testing/memorySource.ts';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { choosePromptStyle, type PromptStyle } from '../../engine/prompt/promptStyle.ts';
import { renderTemplateText } from '../../engine/prompt/templateText.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { createTokenizer } from '../../engine/tokenizer/createTokenizer.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { type DocumentOptions, makeDocument, type TruthDocument } from './cases.ts';
import { hideInStretch, stretchOf } from './haystack.ts';
import type { QuestionSets } from './quiz.ts';
import { parseParagraphs, parseStories } from './suites/questionSets.ts';
import { type SuiteName, suiteNames, suites } from './suites/suites.ts';

const book = readFileSync(new URL('../../assets/sample/alice-in-wonderland-chapter-1.txt', import.meta.url), 'utf8');
const questions: QuestionSets = {
  paragraphs: parseParagraphs(
    JSON.stringify({
      data: [{ paragraphs: [{ context: 'The Wrangel lighthouse was built by Ada Quist in 1871.', qas: [{ question: 'Who built it?', answers: [{ text: 'Ada Quist' }] }, { question: 'Who painted it?', answers: [] }] }] }],
    }),
  ),
  stories: parseStories('1 Mary went to the attic.\n2 John went to the cellar.\n3 Where is Mary? \tattic\t1\n4 Mary went to the porch.\n5 Where is Mary? |porch|4\n1 Sandra sang.\n2 Who sang? \tSandra\t1\n'),
};

let tokenizer: Tokenizer;
let style: PromptStyle;
beforeAll(async () => {
  const { metadata } = await readGguf(memorySource(tinyModel({ architecture: 'llama', layers: 1 })));
  tokenizer = createTokenizer(metadata);
  style = choosePromptStyle(metadata, tokenizer);
});

function make(suite: SuiteName, options: Partial<DocumentOptions> = {}): Promise<TruthDocument> {
  return makeDocument({ tokenizer, style, runTemplate: async (template, context) => renderTemplateText(template, context), suite, books: [book], questions, documentTokens: 2000, depth: null, seed: 1, ...options });
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1;
/** Those whose answer stands in the text as it is asked for. */
const literal = suiteNames.filter((name) => !['counting', 'order', 'babi', 'continuation'].includes(name));

describe.each(suiteNames)('%s', (suite) => {
  test('the same seed gives the same tokens, another others', async () => {
    expect(await make(suite)).toEqual(await make(suite));
    expect((await make(suite, { seed: 2 })).tokens).not.toEqual((await make(suite)).tokens);
  });

  test.each([1500, 2999])('a document of %i tokens has exactly so many', async (documentTokens) => {
    for (let seed = 1; seed <= 2; seed++) expect((await make(suite, { documentTokens, seed })).tokens).toHaveLength(documentTokens);
  });

  test('every tail follows the document as the product would prompt it', async () => {
    const { tokens, tails } = await make(suite);
    const text = tokenizer.decode(tokens);
    expect(tails.filter(({ kind }) => kind === 'continuation')).toHaveLength(suites[suite].continuations);
    expect(tails.filter(({ kind }) => kind === 'question').length > 0).toBe(suites[suite].quiz !== null);
    for (const { kind, prefix, answer, answerFrom } of tails) {
      const prompt = tokenizer.decode([...prefix, ...answer], { special: true });
      if (kind === 'continuation') expect(tokens.join()).toContain([...prefix.slice(-200), ...answer].join());
      else {
        expect(prompt).toContain(text);
        expect(answerFrom).toBeGreaterThan(0);
        expect(answerFrom).toBeLessThan(answer.length);
      }
    }
  });

  test('each tail cuts back less than one answer and its question', async () => {
    const { tails } = await make(suite);
    for (let i = 1; i < tails.length; i++) {
      const [before, after] = [tails[i - 1], tails[i]];
      let shared = 0;
      while (before.prefix[shared] === after.prefix[shared] && shared < before.prefix.length) shared++;
      expect(before.prefix.length + before.answer.length - shared).toBeLessThan(400);
    }
  });
});

test.each(literal)('%s: each answer is in the document exactly once', async (suite) => {
  for (let seed = 1; seed <= 8; seed++) {
    const { tokens, tails } = await make(suite, { documentTokens: 1500, seed });
    const text = tokenizer.decode(tokens);
    for (const { kind, answer, answerFrom } of tails) {
      if (kind === 'continuation') continue;
      expect(occurrences(text, tokenizer.decode(answer.slice(answerFrom)).trim()), `seed ${seed}`).toBe(1);
    }
  }
});

test('counting hides as many sentences as the answer says', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { tokens, tails } = await make('counting', { seed });
    const said = tokenizer.decode(tails[0].answer.slice(tails[0].answerFrom)).trim();
    expect(`${['zero', 'one', 'two', 'three', 'four', 'five', 'six'][occurrences(tokenizer.decode(tokens), 'a white raven landed on the mill.')]} days`).toBe(said);
  }
});

test('order: the parcels stand in the order of the answer', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { tokens, tails } = await make('order', { seed });
    const parcels = [...tokenizer.decode(tokens).matchAll(/delivered the (\w+) parcel/g)].map((match) => match[1]);
    const answers = tails.map(({ answer, answerFrom }) => tokenizer.decode(answer.slice(answerFrom)).trim());
    expect(answers).toEqual([`${parcels[0]} parcel`, `${parcels[3]} parcel`, parcels.join(', ')]);
  }
});

test('babi: all facts up to the question, in their order', async () => {
  const text = tokenizer.decode((await make('babi', { questions: { ...questions, stories: [questions.stories[1]] } })).tokens);
  const places = ['Mary went to the attic.', 'John went to the cellar.', 'Mary went to the porch.'].map((fact) => text.indexOf(fact));
  expect(places[0]).toBeGreaterThanOrEqual(0);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(questions.stories.map(({ answer }) => answer)).toEqual(['attic', 'porch', 'Sandra']);
});

test.each([0, 0.25, 0.5, 1])('a needle at depth %d stands between sentences, near there', async (depth) => {
  for (let seed = 1; seed <= 3; seed++) {
    const { tokens, tails } = await make('passkey', { depth, seed });
    const text = tokenizer.decode(tokens);
    const place = text.indexOf('There is important information');
    expect(Math.abs(place / text.length - depth)).toBeLessThan(0.15);
    if (place > 1) expect(text.slice(0, place).trimEnd()).toMatch(/[.!?]["'”’)]*$/);
    expect(tails).toHaveLength(1);
  }
});

test('a book that is too short begins again', () => {
  const stretch = stretchOf('One sentence. Another one! ', seededRandom(1), 100);
  expect(stretch.length).toBeGreaterThan(2000);
  expect(hideInStretch(tokenizer, { stretch, hidden: [], tokens: 100, quietTokens: 0 })).toHaveLength(100);
});

test('what does not fit is refused', () => {
  expect(() => hideInStretch(tokenizer, { stretch: book, hidden: [{ text: 'x'.repeat(300), depth: 0 }], tokens: 200, quietTokens: 0 })).toThrow('leaves no room in 200 tokens');
});
