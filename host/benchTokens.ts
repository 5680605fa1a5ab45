/** The prompt of `longleaf bench`: any tokens, the same for every engine that is compared. */
export function benchTokens(count: number, vocabularySize: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 7919 + 13) % Math.min(vocabularySize, 32_000));
}
