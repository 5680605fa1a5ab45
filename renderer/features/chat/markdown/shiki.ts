/** The part of Shiki that is fetched with the first code that has a known language. */
import { type HighlighterCore, createCssVariablesTheme, createHighlighterCore } from '@shikijs/core';
import { createJavaScriptRegexEngine } from '@shikijs/engine-javascript';

const theme = createCssVariablesTheme({ name: 'longleaf', variablePrefix: '--code-' });

export function createHighlighter(): Promise<HighlighterCore> {
  return createHighlighterCore({ themes: [theme], langs: [], engine: createJavaScriptRegexEngine({ forgiving: true }) });
}
