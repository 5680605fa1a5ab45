/** A text as UTF-8 bytes, each with the UTF-16 unit where its character starts. */
export interface Utf8Text {
  readonly bytes: Uint8Array;
  readonly unitOfByte: Uint32Array;
  readonly length: number;
}

const loneSurrogate = /\p{Surrogate}/gu;

/** The text with each lone surrogate replaced by U+FFFD; its length stays the same. */
export function wellFormed(text: string): string {
  return text.replace(loneSurrogate, '\uFFFD');
}

/** Encodes well-formed text. Only the first `length` entries of the result count. */
export function encodeUtf8(text: string): Utf8Text {
  const bytes = new Uint8Array(text.length * 3);
  const unitOfByte = new Uint32Array(text.length * 3);
  let length = 0;
  for (let unit = 0; unit < text.length; unit++) {
    const start = unit;
    const first = length;
    const point = text.codePointAt(unit) ?? 0;
    if (point < 0x80) {
      bytes[length++] = point;
    } else if (point < 0x800) {
      bytes[length++] = 0xc0 | (point >> 6);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      bytes[length++] = 0xe0 | (point >> 12);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else {
      bytes[length++] = 0xf0 | (point >> 18);
      bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
      unit++;
    }
    unitOfByte.fill(start, first, length);
  }
  return { bytes, unitOfByte, length };
}
