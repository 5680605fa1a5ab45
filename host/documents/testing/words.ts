/** How much of a known text a parser found, in words and in order. */

/** Runs of letters and digits; what marks, bullets and dashes there are is not counted. */
export function wordsOf(text: string): string[] {
  return text.normalize('NFKC').match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The share of known words that are found in order: the longest common subsequence over the known words. */
export function wordsInOrder(known: readonly string[], found: readonly string[]): number {
  let row = new Uint32Array(found.length + 1);
  for (const word of known) {
    const next = new Uint32Array(found.length + 1);
    for (let at = 1; at <= found.length; at += 1) {
      next[at] = word === found[at - 1] ? (row[at - 1] ?? 0) + 1 : Math.max(row[at] ?? 0, next[at - 1] ?? 0);
    }
    row = next;
  }
  return (row[found.length] ?? 0) / known.length;
}
