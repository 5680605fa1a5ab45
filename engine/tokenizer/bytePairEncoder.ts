import { standInOf } from './byteAlphabet.ts';
import type { EncodedPiece, PieceSink, PlainTextEncoder } from './encodedPiece.ts';
import { PairMerger, type MergeRule } from './pairMerger.ts';
import { PairTable } from './pairTable.ts';
import { PieceCache } from './pieceCache.ts';
import type { PreTokenizer } from './preTokenizers.ts';
import { splitText } from './splitText.ts';
import { encodeUtf8, type Utf8Text } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Byte-level byte-pair encoding: pieces become bytes, and pairs merge in the order of their ranks. */
export class BytePairEncoder implements PlainTextEncoder {
  private readonly vocabulary: Vocabulary;
  private readonly preTokenizer: PreTokenizer;
  private readonly symbols: Symbols;
  private readonly pairs: PairTable;
  /** The symbol that each merge makes, by rank. */
  private readonly results: Int32Array;
  private readonly byteSymbols: Int32Array;
  private readonly merger = new PairMerger();
  private readonly cache = new PieceCache();

  /** `merges` are the pairs as "left right", the most important first. */
  constructor(vocabulary: Vocabulary, merges: readonly string[], preTokenizer: PreTokenizer) {
    this.vocabulary = vocabulary;
    this.preTokenizer = preTokenizer;
    this.symbols = new Symbols(vocabulary);
    this.pairs = new PairTable(merges.length);
    this.results = new Int32Array(merges.length);
    for (let rank = 0; rank < merges.length; rank++) {
      // The left symbol may itself start with a space.
      const middle = merges[rank].indexOf(' ', 1);
      if (middle < 0) continue;
      const left = merges[rank].slice(0, middle);
      const right = merges[rank].slice(middle + 1);
      this.pairs.add(this.symbols.of(left), this.symbols.of(right), rank);
      this.results[rank] = this.symbols.of(left + right);
    }
    this.byteSymbols = Int32Array.from({ length: 256 }, (_, byte) => this.symbols.of(standInOf(byte)));
  }

  encode(text: string, sink: PieceSink): void {
    splitText(text, this.preTokenizer.stages, (piece, start) => {
      let encoded = this.cache.get(piece);
      if (encoded === undefined) {
        encoded = this.encodePiece(piece);
        this.cache.set(piece, encoded);
      }
      sink(encoded, start);
    });
  }

  private encodePiece(piece: string): EncodedPiece {
    const utf8 = encodeUtf8(piece);
    const whole = this.preTokenizer.ignoreMerges ? this.wholeToken(utf8) : undefined;
    return whole === undefined ? this.merge(utf8) : { tokens: [whole], starts: [0] };
  }

  private wholeToken(utf8: Utf8Text): number | undefined {
    let spelled = '';
    for (let index = 0; index < utf8.length; index++) spelled += standInOf(utf8.bytes[index]);
    return this.vocabulary.findPlain(spelled);
  }

  private merge(utf8: Utf8Text): EncodedPiece {
    const { pairs, results, byteSymbols } = this;
    const symbols = new Int32Array(utf8.length);
    for (let index = 0; index < utf8.length; index++) symbols[index] = byteSymbols[utf8.bytes[index]];
    const rule: MergeRule = {
      priority: (left, right) => pairs.rankOf(symbols[left], symbols[right]),
      joined: (left, _right, _end, rank) => {
        symbols[left] = results[rank];
      },
    };
    const tokens: number[] = [];
    const starts: number[] = [];
    for (const first of this.merger.merge(utf8.length, rule)) {
      const symbol = symbols[first];
      const start = utf8.unitOfByte[first];
      if (symbol < this.vocabulary.size) {
        tokens.push(symbol);
        starts.push(start);
        continue;
      }
      for (const token of this.symbols.bytesOf(symbol)) {
        tokens.push(token);
        starts.push(start);
      }
    }
    return { tokens, starts };
  }
}

/**
 * The symbols that merges work on. A symbol that plain text may become as a token has the token's
 * number; any other, such as a step towards a token that is not one itself, a number above them.
 */
class Symbols {
  private readonly vocabulary: Vocabulary;
  private readonly others = new Map<string, number>();
  private readonly otherTokens: number[][] = [];

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
  }

  of(text: string): number {
    const known = this.vocabulary.findPlain(text) ?? this.others.get(text);
    if (known !== undefined) return known;
    const symbol = this.vocabulary.size + this.otherTokens.length;
    this.others.set(text, symbol);
    this.otherTokens.push(this.byteTokens(text));
    return symbol;
  }

  /** The byte tokens of a symbol that is no token itself. */
  bytesOf(symbol: number): readonly number[] {
    return this.otherTokens[symbol - this.vocabulary.size];
  }

  /** The tokens of single bytes; a byte that has none, which some models lack, is left out. */
  private byteTokens(text: string): number[] {
    return [...text].flatMap((standIn) => this.vocabulary.findPlain(standIn) ?? []);
  }
}
