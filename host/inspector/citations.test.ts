import { describe, expect, test } from 'vitest';
import { alignment, contentWords, speaksOf, surroundingsOf } from './alignment.ts';
import { gradeOf } from './grades.ts';
import { sentencesOf, spanAt } from './sentences.ts';

const cut = (text: string): string[] => sentencesOf(text).map(({ start, end }) => text.slice(start, end));

describe('sentences', () => {
  test('end at full stops, but not after abbreviations and initials', () => {
    expect(cut('Mr. Garth came at 3.15 p.m. with J. Smith. He left! “Why?” she asked.\n\nNobody knew')).toEqual([
      'Mr. Garth came at 3.15 p.m. with J. Smith.',
      'He left!',
      '“Why?”',
      'she asked.',
      'Nobody knew',
    ]);
  });

  test('list items are sentences of their own', () => {
    expect(cut('They are:\n- one\n- two\n3. three')).toEqual(['They are:', '- one', '- two', '3. three']);
  });

  test('a text without an end is cut', () => {
    const spans = sentencesOf('word '.repeat(1000));
    expect(Math.max(...spans.map(({ start, end }) => end - start))).toBeLessThanOrEqual(600);
  });

  test('an empty text has none', () => expect(sentencesOf(' \n ')).toEqual([]));

  test('the one at a place is found, also between two', () => {
    const spans = sentencesOf('One. Two. Three.');
    expect([0, 3, 4, 6, 11, 99].map((at) => spanAt(spans, at))).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe('alignment', () => {
  test('counts what the question did not say already', () => {
    const question = 'What is the secret code of Mr Garth?';
    expect(alignment('The secret code of Mr Garth is 12345.', 'The secret code of Mr Garth is 12345.', question)).toBe(1);
    expect(alignment('The secret code of Mr Garth is 54321.', 'The secret code of Mr Garth is 12345.', question)).toBe(0);
  });
  test('forgives endings of long words, not of short ones', () => {
    expect(alignment('emancipated', 'They were emancipates.', '')).toBe(1);
    expect(alignment('cats', 'A cat.', '')).toBe(0);
  });
  test('nothing said is not aligned', () => expect(alignment('It is.', 'It is.', '')).toBe(0));
  test('numbers keep their digits', () => expect(contentWords('In 1,234.5 m')).toEqual(['1234.5', 'm']));
});

test('a passage speaks of what was asked when it has any of its words', () => {
  expect(speaksOf('Which airport has the busiest runway?', 'He was sent to Glencree Reformatory.')).toBe(false);
  expect(speaksOf('Which airport has the busiest runway?', 'San Diego’s airport is small.')).toBe(true);
  expect(speaksOf('What happens?', 'Anything.')).toBe(true);
});

test('what stands around a passage ends with its paragraph', () => {
  const text = 'Of Tesla.\n\nThe jets of vapor blended. They tilted.\r\n \r\nThe boats were pulled apart.';
  const start = text.indexOf('They');
  expect(surroundingsOf(text, { start, end: start + 'They tilted.'.length })).toBe('The jets of vapor blended. They tilted.\r');
  expect(surroundingsOf('One. Two.', { start: 5, end: 9 })).toBe('One. Two.');
  expect(surroundingsOf(`${'a'.repeat(900)}b${'c'.repeat(900)}`, { start: 900, end: 901 })).toBe(`${'a'.repeat(400)}b${'c'.repeat(400)}`);
});

test('grades ask for words and effect, or for much attention and much effect', () => {
  expect(gradeOf({ alignment: 1, share: 0.3, drop: 3, relevant: true })).toBe('verified');
  expect(gradeOf({ alignment: 1, share: 0.3, drop: 0.1, relevant: true })).toBe('none');
  expect(gradeOf({ alignment: 0.4, share: 0.3, drop: 3, relevant: true })).toBe('attended');
  expect(gradeOf({ alignment: 0, share: 0.4, drop: 4, relevant: true })).toBe('none');
  expect(gradeOf({ alignment: 0, share: 0.6, drop: 9, relevant: true })).toBe('attended');
  expect(gradeOf({ alignment: 0.5, share: 0.6, drop: null, relevant: true })).toBe('attended');
  expect(gradeOf({ alignment: 0.2, share: 0.4, drop: null, relevant: true })).toBe('none');
  expect(gradeOf({ alignment: 1, share: 0.01, drop: 9, relevant: true })).toBe('none');
});
