/**
 * Code in colours, by Shiki with the regular expressions of the browser itself: its other engine is WebAssembly, which
 * the content security policy refuses. Colours are variables of our own themes. What was highlighted is remembered,
 * because scrolling shows it again.
 */
import type { HighlighterCore, ThemedToken } from '@shikijs/core';
import { type CodeLanguage, loadLanguage } from './languages.ts';

export type CodeLine = readonly Pick<ThemedToken, 'content' | 'color'>[];

/** Above this a line would hold up the window; it is shown plain. */
const longestLine = 2000;
const longestCode = 100_000;
const remembered = 200;

let highlighter: Promise<HighlighterCore> | null = null;
const loaded = new Map<CodeLanguage, Promise<void>>();
const lines = new Map<string, readonly CodeLine[]>();

async function withLanguage(language: CodeLanguage): Promise<HighlighterCore> {
  highlighter ??= import('./shiki.ts').then(({ createHighlighter }) => createHighlighter());
  const core = await highlighter;
  if (!loaded.has(language)) loaded.set(language, loadLanguage(language).then((grammar) => core.loadLanguage(grammar)));
  await loaded.get(language);
  return core;
}

/** What was highlighted before, without waiting. */
export function rememberedLines(code: string, language: CodeLanguage): readonly CodeLine[] | null {
  return lines.get(keyOf(code, language)) ?? null;
}

/** Null for code that is too long. */
export async function highlight(code: string, language: CodeLanguage): Promise<readonly CodeLine[] | null> {
  if (code.length > longestCode) return null;
  const core = await withLanguage(language);
  const found = core.codeToTokensBase(code, { lang: language, theme: 'longleaf', tokenizeMaxLineLength: longestLine });
  if (lines.size >= remembered) lines.delete(lines.keys().next().value ?? '');
  lines.set(keyOf(code, language), found);
  return found;
}

function keyOf(code: string, language: CodeLanguage): string {
  return `${language}\n${code}`;
}
