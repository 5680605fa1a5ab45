/** Whether a passage says what a claim says, word for word: what a citation is checked by. */

/** Words that say nothing by themselves. */
const empty = new Set(
  'a an the of in on at to for from by with and or but is are was were be been being it its this that these those he she they his her their him them i you we my your our as not no do does did has have had will would can could may might shall should there here which who whom what when where why how than then so if into about over under also very more most'.split(' '),
);

/** Of a question by whose words a passage is judged. */
const fewestWords = 2;

/** Lower-case words and numbers, without the empty ones. */
export function contentWords(text: string): string[] {
  const words = text.toLowerCase().normalize('NFKC').replace(/[’']s\b/gu, '').match(/\p{N}[\p{N}.,]*\p{N}|\p{N}|\p{L}[\p{L}\p{M}'’-]*/gu) ?? [];
  return words.map((word) => word.replace(/[,]/gu, '')).filter((word) => !empty.has(word));
}

/**
 * The share of the claim's words that the passage holds. Words of the question prove nothing, as long as the claim has
 * others: 0 when it has no words at all.
 */
export function alignment(claim: string, passage: string, question: string): number {
  const asked = new Set(contentWords(question));
  const all = contentWords(claim);
  const own = all.filter((word) => !asked.has(word));
  const words = own.length > 0 ? own : all;
  if (words.length === 0) return 0;
  const there = new Set(contentWords(passage));
  return words.filter((word) => there.has(word) || (word.length > 5 && [...there].some((other) => sameStem(word, other)))).length / words.length;
}

/** Before and behind a passage that may say what it is about, at most. */
const surroundingCharacters = 400;
const paragraphEnd = /\n[^\S\n]*\n/u;

/**
 * A passage and what stands in the same paragraph. The paragraph beside it does not count: an answer that runs on into what
 * follows would be cited there, because what was asked for is near.
 */
export function surroundingsOf(text: string, { start, end }: { start: number; end: number }): string {
  const from = Math.max(0, start - surroundingCharacters);
  const before = text.slice(from, start).split(paragraphEnd).at(-1) ?? '';
  const [behind] = text.slice(end, end + surroundingCharacters).split(paragraphEnd, 1);
  return before + text.slice(start, end) + behind;
}

/** Whether a passage with its surroundings has any of the question's words; of questions without enough words nothing can be said. */
export function speaksOf(question: string, surroundings: string): boolean {
  const words = new Set(contentWords(question));
  if (words.size < fewestWords) return true;
  const there = [...new Set(contentWords(surroundings))];
  return [...words].some((word) => there.some((other) => other === word || (word.length > 5 && sameStem(word, other))));
}

/** Alike but for their endings. */
function sameStem(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  return length > 5 && Math.abs(one.length - other.length) <= 3 && one.slice(0, length - 1) === other.slice(0, length - 1);
}
