/** A stretch of a prompt. Only `special` text, which a template wrote, may hold control tokens. */
export interface TextSegment {
  readonly text: string;
  readonly special: boolean;
}

/** Tokens with the place of each in the text. */
export interface TokensWithOffsets {
  readonly tokens: number[];
  /**
   * Where each token starts in the text, in UTF-16 units. A token that starts inside a character has
   * the start of that character.
   */
  readonly starts: number[];
}

export interface DecodeOptions {
  /** Whether control tokens are written out; they are left out by default. */
  readonly special?: boolean;
}

/** Turns tokens into text one by one, as they are generated. */
export interface StreamDecoder {
  /** The text that became complete with this token; may be empty. Never half a character. */
  push(token: number): string;
  /** Ends the stream: what is left of an incomplete character becomes U+FFFD. */
  flush(): string;
}

export interface Tokenizer {
  /** The number of tokens, 0 to `vocabularySize - 1`. */
  readonly vocabularySize: number;
  /** `tokenizer.ggml.model`, for example `gpt2`. */
  readonly model: string;
  /** `tokenizer.ggml.pre`, for example `smollm`. */
  readonly preTokenizer: string;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** Whether a prompt starts with `bos`. `encode` itself never adds it. */
  readonly addBos: boolean;
  /** Whether a text ends with `eos`. `encode` itself never adds it. */
  readonly addEos: boolean;
  /** The tokens that end an answer. */
  readonly endTokens: ReadonlySet<number>;

  /** The tokens of plain text. Control tokens spelled out in it stay text. */
  encode(text: string): number[];
  /** As `encode`, with the start of each token. */
  encodeWithOffsets(text: string): TokensWithOffsets;
  /**
   * The tokens of segments one after another. No token spans two segments, so a count is the sum of
   * the counts of its segments, and equal first segments give equal first tokens.
   */
  encodeSegments(segments: readonly TextSegment[]): number[];

  decode(tokens: Iterable<number>, options?: DecodeOptions): string;
  /** The bytes that a token stands for; of a control token, its name. */
  tokenBytes(token: number): Uint8Array;
  /** A token as the model file spells it. */
  tokenText(token: number): string;
  /** The token spelled so in the model file, of any kind. */
  findToken(text: string): number | undefined;
  /** True for control and unknown tokens, which plain text never contains. */
  isControl(token: number): boolean;
  createStreamDecoder(options?: DecodeOptions): StreamDecoder;
}
