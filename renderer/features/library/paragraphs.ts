/** Cuts extracted text into paragraphs for a virtual list, as it arrives in slices. */

/** A paragraph longer than this is shown in pieces, so that no row is too tall to be laid out quickly. */
export const longestPiece = 4000;

/** Splits what is complete; `rest` is the unfinished paragraph at the end. */
export function takeParagraphs(text: string): { paragraphs: string[]; rest: string } {
  const end = text.lastIndexOf('\n\n');
  if (end < 0) return text.length > longestPiece ? cutAtSpace(text) : { paragraphs: [], rest: text };
  return { paragraphs: splitParagraphs(text.slice(0, end)), rest: text.slice(end + 2) };
}

export function splitParagraphs(text: string): string[] {
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .flatMap((paragraph) => pieces(paragraph));
}

function pieces(paragraph: string): string[] {
  const found: string[] = [];
  let rest = paragraph;
  while (rest.length > longestPiece) {
    const cut = cutAtSpace(rest);
    found.push(...cut.paragraphs);
    rest = cut.rest;
  }
  return [...found, rest];
}

function cutAtSpace(text: string): { paragraphs: string[]; rest: string } {
  const space = Math.max(text.lastIndexOf(' ', longestPiece - 1), text.lastIndexOf('\n', longestPiece - 1));
  const at = space > 0 ? space + 1 : longestPiece;
  return { paragraphs: [text.slice(0, at)], rest: text.slice(at) };
}
