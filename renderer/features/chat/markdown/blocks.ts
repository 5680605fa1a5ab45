/**
 * Cuts markdown into top-level blocks, so that a streamed answer renders only its last one anew. The
 * blocks joined give the text back, and text that is appended never changes a block before the last.
 */
const fenceLine = /^\s*(`{3,}|~{3,})/;
const listItem = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
/** The last line while it is written: one more character may make an item of it. */
const listItemBegun = /^\s*(?:[-*+]|\d{1,9}[.)]?)$/;
const indented = /^(?: {2,}|\t)/;
/** A link or footnote definition may be used anywhere: then the text is one block. */
const definition = /^ {0,3}\[[^\]\n]+\]:/m;

export function splitBlocks(text: string): string[] {
  if (definition.test(text)) return [text];
  const blocks: string[] = [];
  let current = '';
  let fence = '';
  let afterBlank = false;
  let inList = false;
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const blank = line.trim() === '';
    const continuesList = inList && (indented.test(line) || listItem.test(line) || listItemBegun.test(line));
    if (!blank && fence === '' && afterBlank && current !== '' && !continuesList) {
      blocks.push(current);
      current = '';
      inList = false;
    }
    if (!blank && current.trim() === '') inList = listItem.test(line);
    const marker = fenceLine.exec(line)?.[1];
    if (fence === '') fence = marker ?? '';
    else if (marker?.startsWith(fence) && line.trim() === marker) fence = '';
    current += line;
    afterBlank = blank && fence === '';
  }
  if (current !== '') blocks.push(current);
  return blocks;
}
