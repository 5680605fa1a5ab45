/**
 * The key-value pairs of a model file that a tokenizer reads; the file reader's metadata satisfies it.
 * A getter throws when its key is missing or of another kind; an `…Or` getter returns its fallback
 * when the key is missing.
 */
export interface TokenizerMetadata {
  has(key: string): boolean;
  string(key: string): string;
  stringOr(key: string, fallback: string): string;
  strings(key: string): readonly string[];
  numbers(key: string): readonly number[];
  integerOr(key: string, fallback: number): number;
  booleanOr(key: string, fallback: boolean): boolean;
}
