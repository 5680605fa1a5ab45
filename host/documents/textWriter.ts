/**
 * Writes extracted text as UTF-8 with `\n` line ends, a piece at a time, and notes on the way where a
 * range of it can start to be decoded: a range of a 200 MB text is read without reading the rest.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** `[UTF-16 offset, byte offset]` of a place where a character starts. */
export type Checkpoint = readonly [utf16Offset: number, byteOffset: number];

export interface WrittenText {
  /** UTF-16 units, as JavaScript counts. */
  characters: number;
  bytes: number;
  sha256: string;
  /** True when there is nothing but white space. */
  blank: boolean;
  checkpoints: Checkpoint[];
}

const checkpointSpacingUnits = 64 * 1024;

export class TextWriter {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #checkpoints: Checkpoint[] = [[0, 0]];
  #characters = 0;
  #bytes = 0;
  #blank = true;
  /** A carriage return or a high surrogate whose other half is in the next piece. */
  #held = '';

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(piece: string): Promise<void> {
    const text = this.#held + piece;
    const last = text.charCodeAt(text.length - 1);
    const holds = last === 0x0d || (last >= 0xd800 && last <= 0xdbff);
    this.#held = holds ? text.slice(-1) : '';
    await this.#emit(holds ? text.slice(0, -1) : text);
  }

  async finish(): Promise<WrittenText> {
    const held = this.#held;
    this.#held = '';
    await this.#emit(held);
    return {
      characters: this.#characters,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      blank: this.#blank,
      checkpoints: this.#checkpoints,
    };
  }

  async #emit(raw: string): Promise<void> {
    const text = raw.includes('\r') ? raw.replaceAll(/\r\n?/g, '\n') : raw;
    if (text.length === 0) return;
    if (this.#blank) this.#blank = text.trim().length === 0;
    const bytes = Buffer.from(text, 'utf8');
    this.#hash.update(bytes);
    await this.#file.writeFile(bytes);
    this.#characters += text.length;
    this.#bytes += bytes.length;
    const [lastCharacters] = this.#checkpoints.at(-1) ?? [0];
    if (this.#characters - lastCharacters >= checkpointSpacingUnits) this.#checkpoints.push([this.#characters, this.#bytes]);
  }
}
