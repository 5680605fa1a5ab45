/** Where words stand in a document's text: in any case, over any line break. */
export interface FoundText {
  matches: { start: number; end: number }[];
  /** Whether there are more than are listed. */
  more: boolean;
}

export const mostMatches = 1000;
const windowUnits = 500_000;
/** White space that a match may have in place of one space. */
const slackUnits = 200;

/** @param read a range of the text, in UTF-16 units */
export async function findText(query: string, characters: number, read: (start: number, end: number) => Promise<string>): Promise<FoundText> {
  const words = query.trim().split(/\s+/).filter(Boolean);
  const matches: FoundText['matches'] = [];
  if (words.length === 0) return { matches, more: false };
  const pattern = new RegExp(words.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('\\s+'), 'giu');
  const overlap = query.length + slackUnits;
  let from = 0;
  for (let start = 0; start < characters; start += windowUnits) {
    const text = await read(start, start + windowUnits + overlap);
    for (const match of text.matchAll(pattern)) {
      const at = start + match.index;
      // What begins in the overlap is the next window's, and nothing is found twice.
      if (match.index >= windowUnits || at < from) continue;
      if (matches.length === mostMatches) return { matches, more: true };
      matches.push({ start: at, end: (from = at + match[0].length) });
    }
  }
  return { matches, more: false };
}
