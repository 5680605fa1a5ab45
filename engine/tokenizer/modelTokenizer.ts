import { EngineError } from '../errors.ts';
import type { PieceSink, PlainTextEncoder } from './encodedPiece.ts';
import { createStreamDecoder } from './streamDecoder.ts';
import { bytesOfToken, type Spelling } from './tokenBytes.ts';
import type { DecodeOptions, StreamDecoder, TextSegment, Tokenizer, TokensWithOffsets } from './tokenizer.ts';
import { TokenMatcher } from './tokenMatcher.ts';
import { endOrTag, harmonyAnswerEnds, harmonyMessageEnd, turnEndTexts } from './turnEnds.ts';
import { wellFormed } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface ModelTokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly encoder: PlainTextEncoder;
  readonly spelling: Spelling;
  readonly model: string;
  readonly preTokenizer: string;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** The tokens that the file itself names as ends. */
  readonly namedEnds: readonly number[];
}

const nothing = new Uint8Array(0);

/** A tokenizer over a vocabulary and the encoder of its kind. */
export class ModelTokenizer implements Tokenizer {
  readonly model: string;
  readonly preTokenizer: string;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly endTokens: ReadonlySet<number>;
  private readonly vocabulary: Vocabulary;
  private readonly encoder: PlainTextEncoder;
  private readonly spelling: Spelling;
  private readonly plainMatcher: TokenMatcher;
  private readonly specialMatcher: TokenMatcher;
  /** The bytes of the tokens asked for so far. */
  private readonly bytes: (Uint8Array | undefined)[] = [];

  constructor(parts: ModelTokenizerParts) {
    this.vocabulary = parts.vocabulary;
    this.encoder = parts.encoder;
    this.spelling = parts.spelling;
    this.model = parts.model;
    this.preTokenizer = parts.preTokenizer;
    this.bos = parts.bos;
    this.eos = parts.eos;
    this.addBos = parts.addBos;
    this.addEos = parts.addEos;
    this.endTokens = findEndTokens(parts.vocabulary, parts.namedEnds);
    this.plainMatcher = new TokenMatcher(parts.vocabulary.wholeTokens({ special: false }));
    this.specialMatcher = new TokenMatcher(parts.vocabulary.wholeTokens({ special: true }));
  }

  get vocabularySize(): number {
    return this.vocabulary.size;
  }

  encode(text: string): number[] {
    const tokens: number[] = [];
    this.encodeInto(tokens, { text, special: false });
    return tokens;
  }

  encodeSegments(segments: readonly TextSegment[]): number[] {
    const tokens: number[] = [];
    for (const segment of segments) this.encodeInto(tokens, segment);
    return tokens;
  }

  encodeWithOffsets(text: string): TokensWithOffsets {
    const tokens: number[] = [];
    const starts: number[] = [];
    this.eachPiece(text, this.plainMatcher, (piece, start) => {
      for (const token of piece.tokens) tokens.push(token);
      for (const offset of piece.starts) starts.push(start + offset);
    });
    return { tokens, starts };
  }

  decode(tokens: Iterable<number>, options: DecodeOptions = {}): string {
    const decoder = this.createStreamDecoder(options);
    const parts: string[] = [];
    for (const token of tokens) parts.push(decoder.push(token));
    parts.push(decoder.flush());
    return parts.join('');
  }

  tokenBytes(token: number): Uint8Array {
    this.check(token);
    return (this.bytes[token] ??= bytesOfToken(this.vocabulary, this.spelling, token));
  }

  tokenText(token: number): string {
    this.check(token);
    return this.vocabulary.texts[token];
  }

  findToken(text: string): number | undefined {
    return this.vocabulary.find(text);
  }

  isControl(token: number): boolean {
    return this.vocabulary.isControl(token);
  }

  createStreamDecoder(options: DecodeOptions = {}): StreamDecoder {
    const special = options.special ?? false;
    return createStreamDecoder((token) =>
      !special && this.vocabulary.isControl(token) ? nothing : this.tokenBytes(token),
    );
  }

  private encodeInto(tokens: number[], segment: TextSegment): void {
    this.eachPiece(segment.text, segment.special ? this.specialMatcher : this.plainMatcher, (piece) => {
      for (const token of piece.tokens) tokens.push(token);
    });
  }

  /** Cuts out the tokens matched as a whole, and encodes the text between them. */
  private eachPiece(givenText: string, matcher: TokenMatcher, sink: PieceSink): void {
    const text = wellFormed(givenText);
    let start = 0;
    while (start < text.length) {
      const match = matcher.next(text, start);
      const end = match?.start ?? text.length;
      if (end > start) {
        const offset = start;
        this.encoder.encode(text.slice(start, end), (piece, place) => sink(piece, offset + place));
      }
      if (match === undefined) break;
      sink({ tokens: [match.token], starts: [0] }, match.start);
      start = match.end;
    }
  }

  private check(token: number): void {
    if (Number.isInteger(token) && token >= 0 && token < this.vocabulary.size) return;
    throw new EngineError(
      'internal',
      `There is no token ${token}; the model has ${this.vocabulary.size}.`,
      'Please report this with the name of the model.',
    );
  }
}

function findEndTokens(vocabulary: Vocabulary, namedEnds: readonly number[]): Set<number> {
  const ends = new Set(namedEnds);
  for (const text of [...turnEndTexts, endOrTag]) {
    const token = vocabulary.find(text);
    if (token !== undefined && vocabulary.isControl(token)) ends.add(token);
  }
  const messageEnd = vocabulary.find(harmonyMessageEnd);
  const isHarmony = harmonyAnswerEnds.every((text) => vocabulary.find(text) !== undefined);
  if (isHarmony && messageEnd !== undefined) ends.delete(messageEnd);
  return ends;
}
