/** Cuts text into passages of about a paragraph, which are what a search of documents finds. */
export interface Passage {
  start: number;
  end: number;
}

const usualCharacters = 700;
const mostCharacters = 1400;

/**
 * In order and without gaps from the text's beginning. Unless this is the `last` piece of a text, its last passage is
 * left for the next piece, in which it may go on.
 */
export function passagesOf(text: string, last: boolean): Passage[] {
  const passages: Passage[] = [];
  let start = 0;
  while (start < text.length) {
    const end = endAfter(text, start);
    if (end >= text.length && !last && passages.length > 0) break;
    passages.push({ start, end });
    start = end;
  }
  return passages;
}

/** After a paragraph, else after a line, a sentence, a word, and in the end after so many characters. */
function endAfter(text: string, start: number): number {
  if (text.length - start <= usualCharacters) return text.length;
  const window = text.slice(start, start + mostCharacters);
  for (const mark of ['\n\n', '\n', '. ', '。', ' ']) {
    const at = window.indexOf(mark, usualCharacters);
    if (at >= 0) return start + at + mark.length;
  }
  // Never between the halves of a character.
  const cut = start + Math.min(mostCharacters, window.length);
  const code = text.charCodeAt(cut - 1);
  return code >= 0xd800 && code <= 0xdbff ? cut - 1 : cut;
}
