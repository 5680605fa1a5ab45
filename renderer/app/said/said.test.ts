/** What the host can say is said in every language, with what stands in it. */
import { describe, expect, it } from 'vitest';
import { hostErrorCodes } from '../../../host/contract/failureCodes.ts';
import { hostSentences, hostSource } from '../../testing/hostSentences.ts';
import { catalogue } from './catalogue.ts';
import { said } from './said.ts';

const { sentences, codes } = hostSentences(process.cwd());

it('every sentence that the host and the engine can say to a window is in the catalogue', () => {
  expect(sentences.length).toBeGreaterThan(300);
  const missing = sentences.filter(({ template }) => said(filled(template), 'de') === filled(template));
  expect(missing).toEqual([]);
});

it('every code of the host stands with a sentence', () => {
  const thrown = new Set(codes);
  // These belong to the command line, whose language is English.
  expect(hostErrorCodes.filter((code) => !thrown.has(code) && !['usage', 'bench-failed', 'peer-failed'].includes(code))).toEqual([]);
});

it('nothing in the catalogue is said by nobody any more', () => {
  const source = hostSource(process.cwd());
  const longest = (template: string) => template.split(/^1 |\{\d\} ?|(?<=\.) /).reduce((a, b) => (b.length > a.length ? b : a));
  expect(Object.keys(catalogue).filter((template) => !source.includes(longest(template)))).toEqual([]);
});

it.each(Object.entries(catalogue))('“%s” keeps what stands in it', (english, [german, japanese]) => {
  const gaps = gapsOf(english);
  for (const [language, words] of [['de', german], ['ja', japanese]] as const) {
    expect(gapsOf(words)).toEqual(gaps);
    const text = said(filled(english), language);
    for (const gap of gaps) expect(text).toContain(value(gap));
  }
});

describe('numbers, sizes, names and clauses inside a sentence', () => {
  it.each([
    ['“a.pdf” is 1.5 GB; Longleaf reads documents of up to 1.0 GB.', '„a.pdf“ hat 1,5 GB; Longleaf liest Dokumente bis 1,0 GB.', '「a.pdf」は 1.5 GB です。Longleaf が読むのは 1.0 GB までの文書です。'],
    ['The prompt is 12,345 tokens; SmolLM2 holds 8,192.', 'Der Prompt hat 12.345 Token; SmolLM2 fasst 8.192.', 'プロンプトは 12,345 トークンですが、SmolLM2 に入るのは 8,192 トークンです。'],
    ['Port 8080 on 127.0.0.1 is in use by another program.', 'Der Port 8080 auf 127.0.0.1 ist von einem anderen Programm belegt.', '127.0.0.1 のポート 8080 は別のプログラムが使用中です。'],
    ['“a.docx” cannot be read: it has no part “word/document.xml”.', '„a.docx“ kann nicht gelesen werden: Es hat keinen Teil „word/document.xml“.', '「a.docx」を読めません：部分「word/document.xml」がありません。'],
    ['3 files that are not text were left out: a.png, b.png, c.png.', '3 Dateien, die kein Text sind, wurden ausgelassen: a.png, b.png, c.png.', 'テキストではない 3 個のファイルを除きました：a.png, b.png, c.png。'],
    ['The GPU worker stopped (no sign of life for 30 s) while answering.', 'Der GPU-Prozess brach ab (30 s lang kein Lebenszeichen), während er antwortete.', '回答中に GPU プロセスが停止しました（30 秒 応答なし）。'],
  ])('%s', (english, german, japanese) => {
    expect(said(english, 'de')).toBe(german);
    expect(said(english, 'ja')).toBe(japanese);
  });
});

it('in English, and of what nobody knows, the words stay', () => {
  expect(said('This was stopped.', 'en')).toBe('This was stopped.');
  expect(said('ECONNRESET', 'de')).toBe('ECONNRESET');
});

it('a text that was made to fit the gaps in every way but one keeps the window no moment', () => {
  const text = `a${' holds a in a files; Longleaf reads up to'.repeat(2000)}`;
  const startMs = performance.now();
  expect(said(text, 'de')).toBe(text);
  // Filling the gaps in every way would take hours.
  expect(performance.now() - startMs).toBeLessThan(5000);
});

function gapsOf(template: string): number[] {
  return [...new Set([...template.matchAll(/\{(\d)\}/g)].map(([, gap]) => Number(gap)))].sort();
}

function value(gap: number): string {
  return `v${gap}x`;
}

function filled(template: string): string {
  return template.replace(/\{(\d)\}/g, (_, gap: string) => value(Number(gap)));
}
