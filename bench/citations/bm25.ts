/** The baseline of citing: the passage with the best BM25 score for the question and the answer (k1 = 1.2, b = 0.75). */
import { contentWords } from '../../host/inspector/alignment.ts';

/** The index of the best passage; −1 where no word is in any. */
export function bestByBm25(query: string, passages: readonly string[]): number {
  const documents = passages.map(contentWords);
  const meanLength = documents.reduce((sum, words) => sum + words.length, 0) / Math.max(1, documents.length);
  const wanted = new Set(contentWords(query));
  const frequency = new Map<string, number>();
  for (const words of documents) for (const word of new Set(words)) if (wanted.has(word)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  let best = -1;
  let bestScore = 0;
  for (const [index, words] of documents.entries()) {
    let score = 0;
    for (const word of wanted) {
      const count = words.filter((other) => other === word).length;
      if (count === 0) continue;
      const found = frequency.get(word) ?? 0;
      const rarity = Math.log(1 + (documents.length - found + 0.5) / (found + 0.5));
      score += (rarity * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words.length) / meanLength));
    }
    if (score > bestScore) [best, bestScore] = [index, score];
  }
  return best;
}
