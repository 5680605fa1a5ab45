import { EngineError } from '../errors.ts';
import type { TokenizerMetadata } from './metadata.ts';
import { endOrTag, turnEndTexts } from './turnEnds.ts';

/** The values of `tokenizer.ggml.token_type`. */
export const tokenKind = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The tokens of a model: their texts and kinds. */
export class Vocabulary {
  readonly texts: readonly string[];
  private readonly kinds: Uint8Array;
  private readonly ids = new Map<string, number>();

  constructor(texts: readonly string[], kinds: readonly number[]) {
    this.texts = texts;
    this.kinds = Uint8Array.from(texts, (_, token) => kinds[token] ?? tokenKind.normal);
    for (let token = 0; token < texts.length; token++) this.ids.set(texts[token], token);
    // A turn end must never come out of a book, whatever kind the file gives it.
    for (const text of turnEndTexts) this.setKind(text, tokenKind.control);
    // As a tag it is not matched as a whole, as in llama.cpp, but it stays text that an answer may hold.
    if (this.isUserDefined(this.ids.get(endOrTag) ?? -1)) this.setKind(endOrTag, tokenKind.normal);
  }

  get size(): number {
    return this.texts.length;
  }

  find(text: string): number | undefined {
    return this.ids.get(text);
  }

  /** The token of this text if plain text may become it: not a control, unknown or byte token. */
  findPlain(text: string): number | undefined {
    const token = this.ids.get(text);
    return token === undefined || this.isControl(token) || this.kinds[token] === tokenKind.byte ? undefined : token;
  }

  isControl(token: number): boolean {
    return this.kinds[token] === tokenKind.control || this.kinds[token] === tokenKind.unknown;
  }

  isUserDefined(token: number): boolean {
    return this.kinds[token] === tokenKind.userDefined;
  }

  isByte(token: number): boolean {
    return this.kinds[token] === tokenKind.byte;
  }

  /** The tokens matched as a whole before the rest of a text is split, with their texts. */
  wholeTokens(options: { readonly special: boolean }): [text: string, token: number][] {
    const found: [string, number][] = [];
    for (let token = 0; token < this.size; token++) {
      const matches = this.isUserDefined(token) || (options.special && this.isControl(token));
      if (matches && this.texts[token] !== '') found.push([this.texts[token], token]);
    }
    return found;
  }

  private setKind(text: string, kind: number): void {
    const token = this.ids.get(text);
    if (token !== undefined) this.kinds[token] = kind;
  }
}

/** Reads the tokens of a model file. Throws `gguf-invalid` when there are fewer kinds than tokens. */
export function readVocabulary(metadata: TokenizerMetadata): Vocabulary {
  const texts = metadata.strings('tokenizer.ggml.tokens');
  const kindsKey = 'tokenizer.ggml.token_type';
  const kinds = metadata.has(kindsKey) ? metadata.numbers(kindsKey) : undefined;
  if (kinds !== undefined && kinds.length < texts.length) {
    throw new EngineError(
      'gguf-invalid',
      `The model file lists ${texts.length} tokens but the kinds of only ${kinds.length}.`,
      'Download the model file again, or choose another one.',
    );
  }
  return new Vocabulary(texts, kinds ?? []);
}
