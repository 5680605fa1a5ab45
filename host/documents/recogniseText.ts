/**
 * Decides, from one pass over a file, whether it is text and in which encoding. What was assumed is
 * told to the person as a notice; nothing is guessed in silence.
 */
export type TextEncodingName = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

export type Recognition =
  | { kind: 'text'; encoding: TextEncodingName; notices: string[] }
  | { kind: 'binary'; reason: string };

const nul = 0x00;
const replacementCharacter = Buffer.from('\uFFFD');

/** Fed with every chunk of the file in order; bounded memory. */
export class TextRecogniser {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #byteOrderMark: TextEncodingName | undefined;
  #bytes = 0;
  #firstNul = -1;
  #controls = 0;
  #nonAscii = 0;
  #replaced = 0;
  #tail: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    if (this.#bytes === 0) this.#byteOrderMark = byteOrderMark(chunk);
    if (this.#firstNul < 0) {
      const at = chunk.indexOf(nul);
      if (at >= 0) this.#firstNul = this.#bytes + at;
    }
    this.#bytes += chunk.length;
    if (this.#byteOrderMark?.startsWith('utf-16')) return;
    this.#replaced -= this.#countGenuineReplacements(chunk);
    this.#inspect(this.#decoder.decode(chunk, { stream: true }));
  }

  finish(): Recognition {
    if (this.#byteOrderMark?.startsWith('utf-16')) {
      const name = this.#byteOrderMark === 'utf-16le' ? 'UTF-16 (little-endian)' : 'UTF-16 (big-endian)';
      return { kind: 'text', encoding: this.#byteOrderMark, notices: [`Read as ${name}, as its byte order mark says.`] };
    }
    this.#inspect(this.#decoder.decode());
    if (this.#firstNul >= 0) {
      return { kind: 'binary', reason: `byte ${this.#firstNul + 1} is zero, which text never contains` };
    }
    // Form feeds and escapes occur in text; one other control character in 200 does not.
    if (this.#controls * 200 > this.#bytes) {
      return { kind: 'binary', reason: `${this.#controls} of its ${this.#bytes} bytes are control characters` };
    }
    if (this.#replaced === 0) return { kind: 'text', encoding: 'utf-8', notices: [] };
    // Damaged UTF-8 still has many good sequences; a file in another encoding has next to none.
    if (this.#nonAscii > 4 * this.#replaced || this.#byteOrderMark === 'utf-8') {
      const what = this.#replaced === 1 ? '1 invalid UTF-8 sequence was' : `${this.#replaced} invalid UTF-8 sequences were`;
      return { kind: 'text', encoding: 'utf-8', notices: [`${what} replaced by “\uFFFD”.`] };
    }
    return {
      kind: 'text',
      encoding: 'windows-1252',
      notices: ['This file is not valid UTF-8; it was read as Windows-1252 (Western European, a superset of Latin-1).'],
    };
  }

  #inspect(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit === 0xfffd) this.#replaced += 1;
      else if (unit >= 0x80) this.#nonAscii += 1;
      else if (unit < 0x20 && !isTextControl(unit)) this.#controls += 1;
    }
  }

  /** U+FFFD that the file itself contains, across chunk borders. */
  #countGenuineReplacements(chunk: Buffer): number {
    const joined = Buffer.concat([this.#tail, chunk]);
    let count = 0;
    for (let at = joined.indexOf(replacementCharacter); at >= 0; at = joined.indexOf(replacementCharacter, at + 3)) count += 1;
    this.#tail = Buffer.from(joined.subarray(Math.max(0, joined.length - 2)));
    return count;
  }
}

/** Tab, line feed, vertical tab, form feed, carriage return, escape. */
function isTextControl(unit: number): boolean {
  return (unit >= 0x09 && unit <= 0x0d) || unit === 0x1b;
}

function byteOrderMark(start: Buffer): TextEncodingName | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return 'utf-8';
  return undefined;
}
