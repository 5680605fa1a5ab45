import { describe, expect, it } from 'vitest';
import { withMathMarks } from './mathMarks.ts';

describe('withMathMarks', () => {
  it.each([
    ['It costs $5 and $10.', 'It costs \\$5 and \\$10.'],
    ['Between $5 and$10', 'Between \\$5 and\\$10'],
    ['Let $x$ be $x + 1$.', 'Let $x$ be $x + 1$.'],
    ['One $ sign', 'One \\$ sign'],
    ['An escaped \\$5$ stays', 'An escaped \\$5\\$ stays'],
    ['So \\(a^2\\) holds', 'So $a^2$ holds'],
    ['\\[\na = b\n\\]', '$$\na = b\n$$'],
    ['$$a = b$$', '$$\na = b\n$$'],
    ['  $$a = b$$', '  $$\n  a = b\n  $$'],
    ['we get \\[a = b\\] here', 'we get $$a = b$$ here'],
    ['`$x` and `$y`', '`$x` and `$y`'],
    ['```sh\necho $HOME \\(x\\)\n```\nand $5', '```sh\necho $HOME \\(x\\)\n```\nand \\$5'],
    ['```sh\necho $HOME', '```sh\necho $HOME'],
    ['$\\frac{a}{b}$', '$\\frac{a}{b}$'],
    ['A line\\\\break', 'A line\\\\break'],
  ])('%j', (source, expected) => {
    expect(withMathMarks(source)).toBe(expected);
  });
});
