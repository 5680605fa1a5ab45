import { createCssVariablesTheme } from '@shikijs/core';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { ColouredCode, beginningOf, nothingHighlighted } from './ColouredCode.tsx';
import { codeLanguage, codeLanguages } from './languages.ts';
import { codeColours, plainRuns } from './protocol.ts';
import { tokenise } from './tokenise.ts';

/** Each run as its text and its colour's name. */
async function runs(code: string, language: string): Promise<[string, string][]> {
  const found = await tokenise(code, codeLanguage(language) ?? 'python');
  let end = 0;
  return Array.from({ length: found.length / 2 }, (_, index) => [code.slice(end, (end += found[2 * index])), codeColours[found[2 * index + 1]].replace(/^--code-(token-)?/, '')]);
}

describe('tokenise', () => {
  it('finds keywords, names and comments', async () => {
    expect(await runs('def f(): # it\n    return 1', 'py')).toEqual([
      ['def', 'keyword'],
      [' ', 'foreground'],
      ['f', 'function'],
      ['(): ', 'foreground'],
      ['# it', 'comment'],
      ['\n    ', 'foreground'],
      ['return', 'keyword'],
      [' ', 'foreground'],
      ['1', 'constant'],
    ]);
  });

  it.each([
    ['ends of lines of Windows', 'let a = 1;\r\nlet b = 2;\r\n', 'js'],
    ['characters of two units', 'const s = "𝕏 🦊"; // 図書館\n', 'ts'],
    ['nothing but empty lines', '\n\n  \n', 'js'],
    ['code that is not of the language', '}}} <script>alert(1)</script> {{{', 'rust'],
    ['a line that is too long', `x = "${'y'.repeat(3000)}"\nz = 1`, 'py'],
  ])('goes through all of the code with %s', async (_, code, language) => {
    expect((await runs(code, language)).map(([text]) => text).join('')).toBe(code);
  });

  it.each(codeLanguages)('has a grammar for %s', async (language) => {
    expect(await tokenise('(1)', language)).toBeInstanceOf(Uint32Array);
  });

  it('knows every colour of the theme', () => {
    const used = JSON.stringify(createCssVariablesTheme({ name: 'longleaf', variablePrefix: '--code-' })).match(/--code-[\w-]+/g) ?? [];
    // Colours of a terminal's output, and the ground, are no colours of code.
    expect(new Set(used.filter((name) => !/ansi|background/.test(name)))).toEqual(new Set(codeColours));
  });
});

describe('what is shown', () => {
  it('is the code, whatever is in it', async () => {
    const code = '<img src=x onerror="alert(1)">\n<script>alert(1)</script>';
    const html = renderToStaticMarkup(<ColouredCode code={code} runs={await tokenise(code, 'html')} />);
    expect(html).toContain('<span style="color:var(--code-token-');
    expect(html.replaceAll(/<\/?span[^<>]*>/g, '')).toBe(code.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'));
  });

  it('is in colours at first as far as one frame goes, when it is long', async () => {
    const code = 'x = "y"\n'.repeat(500);
    const html = renderToStaticMarkup(<ColouredCode code={code} runs={await tokenise(code, 'python')} />);
    expect(html.replaceAll(/<\/?span[^<>]*>/g, '')).toBe(code.replaceAll('"', '&quot;'));
    expect(html.match(/style=/g)?.length).toBeGreaterThan(100);
    expect(html.match(/style=/g)?.length).toBeLessThan(400);
  });

  it('keeps its colours while the code grows, and loses them when it changes', () => {
    const last = { code: 'def', language: 'python', runs: plainRuns('def') } as const;
    expect(beginningOf('def f', 'python', last)).toBe(last);
    expect(beginningOf('de', 'python', last)).toBe(nothingHighlighted);
    expect(beginningOf('class A', 'python', last)).toBe(nothingHighlighted);
    expect(beginningOf('def f', 'ruby', last)).toBe(nothingHighlighted);
  });
});
