const text = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Decodes `count` strings laid end to end from `startBytes`, each a 64-bit length and its UTF-8
 * bytes. The lengths must have been checked to lie inside `header`.
 */
export function readStrings(header: Uint8Array, startBytes: number, count: number): string[] {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const strings = Array.from<string>({ length: count });
  let positionBytes = startBytes;
  for (let index = 0; index < count; index++) {
    const textStartBytes = positionBytes + 8;
    positionBytes = textStartBytes + view.getUint32(positionBytes, true);
    strings[index] = text.decode(header.subarray(textStartBytes, positionBytes));
  }
  return strings;
}
