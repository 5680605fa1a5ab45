/** Code whose colours are known. What is not coloured is text without an element of its own. */
import { memo } from 'react';
import type { CodeLanguage } from './languages.ts';
import { type CodeRuns, codeColours } from './protocol.ts';

export interface Highlighted {
  code: string;
  language: CodeLanguage | null;
  runs: CodeRuns;
}

export const nothingHighlighted: Highlighted = { code: '', language: null, runs: new Uint32Array() };

/** Code that is being written keeps the colours of what was there before it grew. */
export function beginningOf(code: string, language: CodeLanguage | null, last: Highlighted): Highlighted {
  return last.language === language && code.startsWith(last.code) ? last : nothingHighlighted;
}

export const ColouredCode = memo(function ColouredCode({ code, runs }: Pick<Highlighted, 'code' | 'runs'>) {
  return partsOf(code, runs).map(({ text, colour }, index) =>
    colour === 0 ? (
      text
    ) : (
      // Shown anew as a whole, so that places are names enough.
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} style={{ color: `var(${codeColours[colour]})` }}>
        {text}
      </span>
    ),
  );
});

function partsOf(code: string, runs: CodeRuns): { text: string; colour: number }[] {
  let end = 0;
  return Array.from({ length: runs.length / 2 }, (_, index) => {
    const start = end;
    end += runs[2 * index];
    return { text: code.slice(start, end), colour: runs[2 * index + 1] };
  });
}
