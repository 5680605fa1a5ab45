import type { EncodedPiece, PieceSink, PlainTextEncoder } from './encodedPiece.ts';
import { JoinMemo } from './joinMemo.ts';
import { PairMerger, type MergeRule } from './pairMerger.ts';
import { PieceCache } from './pieceCache.ts';
import { blockEnds } from './textBlocks.ts';
import { encodeUtf8 } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How SentencePiece spells a space. */
export const spaceMark = '▁';

/** Stands for a character that is no token. */
const noToken = -1;

/**
 * SentencePiece's byte-pair model: characters join, always to the token of the highest score, and a
 * character that is no token becomes byte tokens.
 */
export class SentencePieceEncoder implements PlainTextEncoder {
  private readonly vocabulary: Vocabulary;
  private readonly scores: readonly number[];
  private readonly addSpacePrefix: boolean;
  private readonly byteTokens: readonly (number | undefined)[];
  /** The length of the longest token, in UTF-16 units. */
  private readonly longest: number;
  /** The characters after which a space may join; a text can be cut before a space elsewhere. */
  private readonly beforeSpace: ReadonlySet<string>;
  private readonly joins: JoinMemo;
  private readonly merger = new PairMerger();
  private readonly cache = new PieceCache();

  constructor(vocabulary: Vocabulary, scores: readonly number[], options: { readonly addSpacePrefix: boolean }) {
    this.vocabulary = vocabulary;
    this.scores = scores;
    this.addSpacePrefix = options.addSpacePrefix;
    this.byteTokens = Array.from({ length: 256 }, (_, byte) => {
      const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
      return vocabulary.find(name) ?? vocabulary.find('<unk>');
    });
    this.longest = vocabulary.texts.reduce((longest, text) => Math.max(longest, text.length), 0);
    this.joins = new JoinMemo((left, right) => this.find(vocabulary.texts[left] + vocabulary.texts[right]));
    this.beforeSpace = charactersBeforeSpace(vocabulary);
  }

  encode(text: string, sink: PieceSink): void {
    if (this.addSpacePrefix) {
      // The added space has no place in the text: its token starts where the text does.
      const prefixed: PieceSink = (piece, start) =>
        sink(start === 0 ? withoutFirstUnit(piece) : piece, Math.max(start - 1, 0));
      this.encodeSpelled(` ${text}`, prefixed);
    } else {
      this.encodeSpelled(text, sink);
    }
  }

  private encodeSpelled(text: string, sink: PieceSink): void {
    const spelled = text.replaceAll(' ', spaceMark);
    let blockStart = 0;
    for (const blockEnd of blockEnds(text)) {
      for (let start = blockStart; start < blockEnd; ) {
        const end = Math.min(this.wordEnd(spelled, start), blockEnd);
        sink(this.encodeWord(spelled.slice(start, end)), start);
        start = end;
      }
      blockStart = blockEnd;
    }
  }

  /** The next place before a space where no token can cross: words encode on their own. */
  private wordEnd(spelled: string, start: number): number {
    for (let end = spelled.indexOf(spaceMark, start + 1); end >= 0; end = spelled.indexOf(spaceMark, end + 1)) {
      const before = spelled[end - 1];
      if (before !== spaceMark && !this.beforeSpace.has(before)) return end;
    }
    return spelled.length;
  }

  private encodeWord(word: string): EncodedPiece {
    let encoded = this.cache.get(word);
    if (encoded === undefined) {
      encoded = this.merge(word);
      this.cache.set(word, encoded);
    }
    return encoded;
  }

  private merge(word: string): EncodedPiece {
    const { scores, joins } = this;
    const bounds = characterBounds(word);
    const count = bounds.length - 1;
    const symbols = new Int32Array(count);
    for (let index = 0; index < count; index++) symbols[index] = this.find(word.slice(bounds[index], bounds[index + 1]));
    const joinOf = (left: number, right: number, end: number): number => {
      if (symbols[left] !== noToken && symbols[right] !== noToken) return joins.of(symbols[left], symbols[right]);
      return this.find(word.slice(bounds[left], bounds[end]));
    };
    const rule: MergeRule = {
      priority: (left, right, end) => {
        const token = joinOf(left, right, end);
        return token === noToken ? Infinity : -scores[token];
      },
      joined: (left, right, end) => {
        symbols[left] = joinOf(left, right, end);
      },
    };
    const tokens: number[] = [];
    const starts: number[] = [];
    for (const first of this.merger.merge(count, rule)) {
      if (symbols[first] !== noToken) {
        tokens.push(symbols[first]);
        starts.push(bounds[first]);
        continue;
      }
      for (const token of this.byteTokensOf(word.slice(bounds[first], bounds[first + 1]))) {
        tokens.push(token);
        starts.push(bounds[first]);
      }
    }
    return { tokens, starts };
  }

  private find(text: string): number {
    return text.length > this.longest ? noToken : (this.vocabulary.findPlain(text) ?? noToken);
  }

  private byteTokensOf(character: string): number[] {
    const { bytes, length } = encodeUtf8(character);
    return Array.from(bytes.subarray(0, length)).flatMap((byte) => this.byteTokens[byte] ?? []);
  }
}

function charactersBeforeSpace(vocabulary: Vocabulary): Set<string> {
  const characters = new Set<string>();
  for (const text of vocabulary.texts) {
    for (let index = text.indexOf(spaceMark, 1); index > 0; index = text.indexOf(spaceMark, index + 1)) {
      if (text[index - 1] !== spaceMark) characters.add(text[index - 1]);
    }
  }
  return characters;
}

/** Where each character starts, in UTF-16 units, and the end of the text. */
function characterBounds(text: string): Uint32Array {
  const bounds = new Uint32Array(text.length + 1);
  let count = 0;
  for (let unit = 0; unit < text.length; unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1) bounds[count++] = unit;
  bounds[count++] = text.length;
  return bounds.subarray(0, count);
}

/** The piece with its first unit taken away, which was the added space. */
function withoutFirstUnit(piece: EncodedPiece): EncodedPiece {
  return { tokens: piece.tokens, starts: piece.starts.map((start) => Math.max(start - 1, 0)) };
}
