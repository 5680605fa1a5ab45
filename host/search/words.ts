/**
 * Text as the full-text index takes it. Scripts that write no spaces become words of one character each, so that any
 * run of them is found as a phrase; SQLite's own trigram index would not find words of two characters, which most
 * Japanese and Chinese words are.
 */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]/gu;

export function searchWords(text: string): string {
  return text.replaceAll(unspaced, ' $& ');
}

/** What stands between words, as the index sees it. */
const separators = /[^\p{L}\p{N}\p{Co}\p{M}]+/u;

function wordsOf(text: string): string[] {
  return searchWords(text).split(separators).filter(Boolean);
}

export interface SearchTerms {
  /** For FTS5's MATCH: the words themselves, then words that begin with them. Of the first many are found soonest. */
  expressions: readonly string[];
  /** What to mark in a snippet, in lower case and without marks above letters. */
  shown: string[];
}

/**
 * A query as people type it: all words have to be there, “quoted words” one after the other; words of three letters and
 * the one being typed may be the beginning of one. Null: no word in it.
 */
export function searchTerms(query: string): SearchTerms | null {
  const pieces = [...query.matchAll(/"([^"]*)"?|[^\s"]+/g)].map(([whole, quoted]) => ({ text: quoted ?? whole, quoted: quoted !== undefined }));
  const phrases = pieces.map((piece) => ({ ...piece, words: wordsOf(piece.text) })).filter(({ words }) => words.length > 0);
  if (phrases.length === 0) return null;
  const whole = phrases.map(({ words }) => `"${words.join(' ')}"`);
  const begun = phrases.map(({ words, quoted }, index) => {
    const beingTyped = index === phrases.length - 1 && !/\s$/.test(query);
    // Words of one character are whole words of an unspaced script, or too many to be a beginning.
    const begins = !quoted && (words.at(-1) ?? '').length >= (beingTyped ? 2 : 3);
    return begins ? `${whole[index]} *` : whole[index];
  });
  return { expressions: [...new Set([whole.join(' AND '), begun.join(' AND ')])], shown: phrases.map(({ text }) => folded(text)) };
}

/** Lower case, without diacritics: as long as the text itself, character by character. */
export function folded(text: string): string {
  let out = '';
  for (const character of text) {
    const plain = character.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
    out += plain.length === character.length ? plain : character;
  }
  return out;
}
