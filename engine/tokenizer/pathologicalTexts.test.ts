import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTokenizer } from './createTokenizer.ts';
import { gpt2Metadata, sentencePieceMetadata } from './testing/testModels.ts';
import type { Tokenizer } from './tokenizer.ts';

const mergesFile = gunzipSync(readFileSync(new URL('./testdata/gpt2-merges.txt.gz', import.meta.url))).toString('utf8');
const merges = mergesFile.split('\n').slice(1);

const tokenizers: readonly [string, Tokenizer][] = [
  ['gpt-2', createTokenizer(gpt2Metadata(mergesFile))],
  ['gpt-4o', createTokenizer(gpt2Metadata(mergesFile, { pre: 'gpt-4o' }))],
  ['SentencePiece', createTokenizer(sentencePieceMetadata({ words: sentencePieceWords(), userDefined: ['\n', '\n\n'] }))],
];

const length = 100_000;
const texts: Readonly<Record<string, string>> = {
  'one letter': 'a'.repeat(length),
  'one upper-case letter': 'A'.repeat(length),
  spaces: ' '.repeat(length),
  newlines: '\n'.repeat(length),
  'spaces and newlines': ' \n'.repeat(length / 2),
  'spaces, then a letter': `${' '.repeat(length)}x`,
  emoji: '😀'.repeat(length / 4),
  'Chinese without spaces': Array.from({ length: length / 3 }, (_, index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000))).join(''),
  'random letters': Array.from({ length }, (_, index) => String.fromCharCode(97 + ((index * index * 31 + index * 7) % 26))).join(''),
  'lone surrogates': '\ud800'.repeat(length / 3),
  apostrophes: "'".repeat(length),
};

describe.each(tokenizers)('a long run with %s', (_, tokenizer) => {
  // Against words never seen before. The slowest runs take some ten times as long; with quadratic
  // work it would be ten thousand times.
  const ratioLimit = 60;
  let perUnit = 0;
  beforeAll(() => {
    const words = newWords(200_000);
    perUnit = cpuMilliseconds(() => tokenizer.encode(words)) / words.length;
  });

  it.each(Object.entries(texts))('of %s takes near-linear time', { timeout: 120_000 }, (_name, text) => {
    const taken = cpuMilliseconds(() => tokenizer.encode(text)) / text.length;
    expect(taken / perUnit).toBeLessThan(ratioLimit);
  });
});

function newWords(length: number): string {
  const words = Array.from({ length: length / 8 }, (_, index) => ((index + 1) * 104_729).toString(26));
  return words.join(' ').slice(0, length);
}

/** The processor time that `work` takes, which other programs on the machine do not lengthen. */
function cpuMilliseconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}

function sentencePieceWords(): string[] {
  const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
  const spelled = [...ascii, ...merges.slice(0, 20_000).map((merge) => merge.replace(' ', ''))];
  return [...new Set(spelled.map((word) => word.replaceAll('Ġ', '▁').replaceAll(' ', '▁')))];
}
