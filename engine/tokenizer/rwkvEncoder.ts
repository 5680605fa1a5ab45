/**
 * The tokenizer of RWKV's "World" vocabularies: from left to right the longest token that the text's bytes begin with. A
 * file spells a token's bytes as Python does, with escapes.
 */
import type { PieceSink, PlainTextEncoder } from './encodedPiece.ts';
import type { Vocabulary } from './vocabulary.ts';

const escapes = /\\(?:x([0-9A-Fa-f]{2})|([\s\S]))/g;
const named: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };
const textEncoder = new TextEncoder();

/** The bytes that an escaped token stands for. */
export function bytesOfEscaped(text: string): Uint8Array {
  // Beside escapes Python leaves only ASCII, but files of other makers may have the characters themselves.
  const parts: number[] = [];
  let plainFrom = 0;
  for (const match of text.matchAll(escapes)) {
    parts.push(...textEncoder.encode(text.slice(plainFrom, match.index)));
    if (match[1] !== undefined) parts.push(Number.parseInt(match[1], 16));
    else parts.push(...textEncoder.encode(named[match[2]] ?? match[2]));
    plainFrom = match.index + match[0].length;
  }
  parts.push(...textEncoder.encode(text.slice(plainFrom)));
  return Uint8Array.from(parts);
}

export class RwkvEncoder implements PlainTextEncoder {
  /** By their bytes, a character each. */
  private readonly tokens = new Map<string, number>();
  /** The lengths of the tokens that begin with two given bytes, or are one byte, the longest first. */
  private readonly lengths = new Map<string, number[]>();
  private readonly unknown: number;

  /** `unknown` stands for a byte that no token begins with. */
  constructor(vocabulary: Vocabulary, unknown: number) {
    this.unknown = unknown;
    const lengths = new Map<string, Set<number>>();
    for (const [token, text] of vocabulary.texts.entries()) {
      if (vocabulary.findPlain(text) !== token) continue;
      const bytes = String.fromCharCode(...bytesOfEscaped(text));
      if (bytes === '') continue;
      this.tokens.set(bytes, token);
      const begin = bytes.slice(0, 2);
      lengths.set(begin, (lengths.get(begin) ?? new Set()).add(bytes.length));
    }
    for (const [begin, some] of lengths) this.lengths.set(begin, [...some].sort((a, b) => b - a));
  }

  encode(text: string, sink: PieceSink): void {
    const { bytes, starts } = asBytes(text);
    for (let at = 0; at < bytes.length; ) {
      const { token, length } = this.longestAt(bytes, at);
      sink({ tokens: [token], starts: [0] }, starts[at]);
      at += length;
    }
  }

  private longestAt(bytes: string, at: number): { token: number; length: number } {
    for (const length of this.lengths.get(bytes.slice(at, at + 2)) ?? []) {
      const token = this.tokens.get(bytes.slice(at, at + length));
      if (token !== undefined && at + length <= bytes.length) return { token, length };
    }
    return { token: this.tokens.get(bytes[at]) ?? this.unknown, length: 1 };
  }
}

/** UTF-8, a character a byte, and for each byte where its character starts in the text. */
function asBytes(text: string): { bytes: string; starts: Int32Array } {
  const utf8 = textEncoder.encode(text);
  const starts = new Int32Array(utf8.length);
  const parts: string[] = [];
  let at = 0;
  for (let place = 0; place < text.length; ) {
    const code = text.codePointAt(place) ?? 0;
    const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    starts.fill(place, at, at + length);
    at += length;
    place += code < 0x10000 ? 1 : 2;
  }
  const atOnce = 8192;
  for (let first = 0; first < utf8.length; first += atOnce) parts.push(String.fromCharCode(...utf8.subarray(first, first + atOnce)));
  return { bytes: parts.join(''), starts };
}
