/**
 * Code in runs of colour, by Shiki with the regular expressions of the browser itself: its other engine is WebAssembly.
 * Preparing a grammar takes up to a tenth of a second, so this runs in the highlighting worker.
 */
import { type HighlighterCore, type ThemedToken, createCssVariablesTheme, createHighlighterCore } from '@shikijs/core';
import { createJavaScriptRegexEngine } from '@shikijs/engine-javascript';
import { loadGrammar } from './grammars.ts';
import type { CodeLanguage } from './languages.ts';
import { type CodeRuns, codeColours } from './protocol.ts';

/** A longer line is shown plain. */
const longestLine = 2000;
/** A line is plain from where it was after this time: enough for the first, which prepares the grammar on a busy processor. */
const lineWithinMs = 5000;

const theme = createCssVariablesTheme({ name: 'longleaf', variablePrefix: '--code-' });
const colourNumbers: ReadonlyMap<string, number> = new Map(codeColours.map((variable, number) => [`var(${variable})`, number]));

let highlighter: Promise<HighlighterCore> | null = null;
const loaded = new Map<CodeLanguage, Promise<void>>();

async function withLanguage(language: CodeLanguage): Promise<HighlighterCore> {
  highlighter ??= createHighlighterCore({ themes: [theme], langs: [], engine: createJavaScriptRegexEngine({ forgiving: true }) });
  const core = await highlighter;
  if (!loaded.has(language)) loaded.set(language, loadGrammar(language).then((grammar) => core.loadLanguage(grammar)));
  await loaded.get(language);
  return core;
}

export async function tokenise(code: string, language: CodeLanguage): Promise<CodeRuns> {
  const core = await withLanguage(language);
  const options = { lang: language, theme: 'longleaf', tokenizeMaxLineLength: longestLine, tokenizeTimeLimit: lineWithinMs };
  return runsOfTokens(core.codeToTokensBase(code, options).flat(), code);
}

/** Neighbours of one colour become one run; what lies between tokens, such as the ends of lines, has no colour. */
function runsOfTokens(tokens: readonly ThemedToken[], code: string): CodeRuns {
  const runs: number[] = [];
  let end = 0;
  const add = (length: number, colour: number) => {
    if (length === 0) return;
    if (runs.at(-1) === colour) runs[runs.length - 2] += length;
    else runs.push(length, colour);
    end += length;
  };
  for (const { content, color, offset } of tokens) {
    add(offset - end, 0);
    add(content.length, content.trim() === '' ? 0 : (colourNumbers.get(color ?? '') ?? 0));
  }
  add(code.length - end, 0);
  return Uint32Array.from(runs);
}
