/** Code whose colours are known. What is not coloured is text without an element of its own. */
import { memo, useEffect, useMemo, useState } from 'react';
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

/** Long code gets its colours piece by piece, one a frame. Until then it is there without. */
export const ColouredCode = memo(function ColouredCode({ code, runs }: Pick<Highlighted, 'code' | 'runs'>) {
  const pieces = useMemo(() => piecesOf(code, runs), [code, runs]);
  const [shown, setShown] = useState(1);
  useEffect(() => {
    if (shown >= pieces.length) return undefined;
    const next = requestAnimationFrame(() => setShown(shown + 1));
    return () => cancelAnimationFrame(next);
  }, [shown, pieces]);
  return pieces.map((piece, index) =>
    // Code grows at its end, so that its places name the pieces.
    // oxlint-disable-next-line react/no-array-index-key
    index < shown ? <ColouredPiece key={index} {...piece} /> : piece.text,
  );
});

interface Piece {
  text: string;
  runs: CodeRuns;
}

const runsInPiece = 400;

function piecesOf(code: string, runs: CodeRuns): Piece[] {
  let end = 0;
  return Array.from({ length: Math.ceil(runs.length / 2 / runsInPiece) }, (_, index) => {
    const own = runs.subarray(2 * runsInPiece * index, 2 * runsInPiece * (index + 1));
    const start = end;
    for (let at = 0; at < own.length; at += 2) end += own[at];
    return { text: code.slice(start, end), runs: own };
  });
}

/** In an element of its own: React takes the square of their number to add elements to a parent that is there already. */
const ColouredPiece = memo(
  function ColouredPiece({ text, runs }: Piece) {
    let end = 0;
    return (
      <span>
        {Array.from({ length: runs.length / 2 }, (_, index) => {
          const part = text.slice(end, (end += runs[2 * index]));
          const colour = runs[2 * index + 1];
          return colour === 0 ? (
            part
          ) : (
            // oxlint-disable-next-line react/no-array-index-key
            <span key={index} style={{ color: `var(${codeColours[colour]})` }}>
              {part}
            </span>
          );
        })}
      </span>
    );
  },
  (one, other) => one.text === other.text && one.runs.every((value, index) => value === other.runs[index]) && one.runs.length === other.runs.length,
);
