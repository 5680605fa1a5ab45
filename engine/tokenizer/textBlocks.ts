/** The longest stretch that is split or merged as one, in UTF-16 units. */
export const blockLimit = 1 << 20;

const letter = /\p{L}/u;
const space = 0x20;
const lineFeed = 0x0a;
const firstLowSurrogate = 0xdc00;
const lastLowSurrogate = 0xdfff;

/**
 * Where to cut a long text into blocks: the end of each block, in UTF-16 units, ascending.
 *
 * Regular expressions over characters of several lengths fail on runs of a few million, and the
 * memory of merging grows with the run; blocks bound both. A block ends after a letter that a space
 * or a line feed follows: no pre-tokenizer joins the two, so the tokens are those of the whole text.
 * Only a text with no such place in a million units is cut elsewhere.
 */
export function blockEnds(text: string): number[] {
  const ends: number[] = [];
  let start = 0;
  while (text.length - start > blockLimit) {
    start = safeCut(text, start, start + blockLimit);
    ends.push(start);
  }
  if (text.length > start) ends.push(text.length);
  return ends;
}

function safeCut(text: string, start: number, limit: number): number {
  for (let cut = limit; cut > start; cut--) {
    const unit = text.charCodeAt(cut);
    if ((unit === space || unit === lineFeed) && letter.test(text[cut - 1])) return cut;
  }
  const unit = text.charCodeAt(limit);
  return unit >= firstLowSurrogate && unit <= lastLowSurrogate ? limit - 1 : limit;
}
