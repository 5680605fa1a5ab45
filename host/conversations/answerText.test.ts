import { expect, test, vi } from 'vitest';
import { AnswerStream } from './answerStream.ts';
import { type Progress, ProgressMeter } from './progressMeter.ts';
import { titleFrom } from './title.ts';

test('an answer goes out in at most 30 pieces a second and to disk at least once a second', () => {
  vi.useFakeTimers();
  const emitted: [number, string][] = [];
  const saved: string[] = [];
  const stream = new AnswerStream({ emit: (offset, piece) => emitted.push([offset, piece]), save: (text) => saved.push(text) });
  for (let index = 0; index < 400; index += 1) {
    stream.append('x');
    vi.advanceTimersByTime(5);
  }
  expect(emitted.length).toBeGreaterThan(40);
  expect(emitted.length).toBeLessThanOrEqual(60);
  expect(saved.map((text) => text.length)).toEqual([181, 361].map((length) => expect.closeTo(length, -1)));
  expect(stream.emittedText.length).toBeLessThanOrEqual(stream.text.length);
  stream.end();
  expect(emitted.map(([, piece]) => piece).join('')).toBe('x'.repeat(400));
  expect(emitted.every(([offset, piece], index) => offset === emitted.slice(0, index).reduce((sum, [, before]) => sum + before.length, 0) && piece !== '')).toBe(true);
  vi.useRealTimers();
});

test('progress tells the rate since the phase began, and the time left where there is an end', () => {
  let nowMs = 0;
  const reports: Progress[] = [];
  const meter = new ProgressMeter((progress) => reports.push(progress), () => nowMs);
  meter.update('reading', 100, 1100);
  nowMs = 50;
  meter.update('reading', 150, 1100);
  nowMs = 1000;
  meter.update('reading', 600, 1100);
  nowMs = 1010;
  meter.update('reading', 1100, 1100);
  nowMs = 1020;
  meter.update('answering', 1, 512);
  nowMs = 2020;
  meter.update('answering', 11, 512);
  expect(reports).toEqual([
    { phase: 'reading', done: 100, total: 1100, perSecond: 0, secondsLeft: null },
    { phase: 'reading', done: 600, total: 1100, perSecond: 500, secondsLeft: 1 },
    { phase: 'reading', done: 1100, total: 1100, perSecond: expect.closeTo(990, 0), secondsLeft: 0 },
    { phase: 'answering', done: 1, total: 512, perSecond: 0, secondsLeft: null },
    { phase: 'answering', done: 11, total: 512, perSecond: 10, secondsLeft: null },
  ]);
});

test('a title is the first line of the question, cut at a word', () => {
  expect(titleFrom('  Who is\tDorothea?\nTell me more.')).toBe('Who is Dorothea?');
  expect(titleFrom(`Why does ${'very '.repeat(20)}long`)).toBe(`Why does ${'very '.repeat(10).trim()}…`);
  expect(titleFrom('x'.repeat(80))).toBe(`${'x'.repeat(60)}…`);
  expect(titleFrom(' \n ')).toBe('New chat');
});
