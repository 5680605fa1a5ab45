/** The tokens of a stretch of text and where each starts in it, in UTF-16 units. */
export interface EncodedPiece {
  readonly tokens: readonly number[];
  readonly starts: readonly number[];
}

/** Called with each piece and the place of its text, in UTF-16 units. */
export type PieceSink = (piece: EncodedPiece, start: number) => void;

/** Encodes text that holds no token to be matched as a whole. */
export interface PlainTextEncoder {
  encode(text: string, sink: PieceSink): void;
}
