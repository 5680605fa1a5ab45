import { describe, expect, it } from 'vitest';
import { splitReasoning } from './reasoning.ts';

describe('splitReasoning', () => {
  it.each([
    ['An answer.', null, 'An answer.', false],
    ['<think>Let me see.\n</think>\n\nIt is 4.', 'Let me see.', 'It is 4.', false],
    ['\n<thinking>a < b</thinking>Yes.', 'a < b', 'Yes.', false],
    ['Opened by the template.</think>\nIt is 4.', 'Opened by the template.', 'It is 4.', false],
    ['<think>\n\n</think>\n\nIt is 4.', null, 'It is 4.', false],
    ['<think>Still at it', 'Still at it', '', true],
    // A tag further down is part of the answer.
    ['Write <think> first.', null, 'Write <think> first.', false],
    // Only its own tag closes it.
    ['<think>Use </thinking> here', 'Use </thinking> here', '', true],
  ])('%j', (text, reasoning, answer, open) => {
    expect(splitReasoning(text)).toEqual({ reasoning, answer, open });
  });

  it('never takes back a word of the answer while text arrives', () => {
    const whole = '<think>One. Two.</think>\n\nThree. Four.';
    let shown = '';
    for (let length = 0; length <= whole.length; length += 1) {
      const { answer } = splitReasoning(whole.slice(0, length));
      // Before the tag is complete its first letters are text.
      if (length >= '<think>'.length) expect(answer.startsWith(shown)).toBe(true);
      if (length >= '<think>'.length) shown = answer;
    }
    expect(shown).toBe('Three. Four.');
  });
});
