import { blockEnds } from './textBlocks.ts';

/**
 * Cuts a text into pieces by the stages of a pre-tokenizer; `accept` gets each piece and its start in
 * UTF-16 units. The pieces joined are the text.
 */
export function splitText(
  text: string,
  stages: readonly RegExp[],
  accept: (piece: string, start: number) => void,
): void {
  let start = 0;
  for (const end of blockEnds(text)) {
    applyStage(text.slice(start, end), start, stages, 0, accept);
    start = end;
  }
}

function applyStage(
  text: string,
  offset: number,
  stages: readonly RegExp[],
  index: number,
  accept: (piece: string, start: number) => void,
): void {
  const stage = stages[index];
  const isLast = index === stages.length - 1;
  for (let start = 0; start < text.length; ) {
    stage.lastIndex = start;
    stage.test(text);
    // `test` sets lastIndex to 0 when nothing matches; a character then stands alone.
    const end = stage.lastIndex > start ? stage.lastIndex : start + characterLength(text, start);
    const piece = text.slice(start, end);
    if (isLast) accept(piece, offset + start);
    else applyStage(piece, offset + start, stages, index + 1, accept);
    start = end;
  }
}

/** The UTF-16 units of the character at `index`: 1 or 2. */
function characterLength(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}
