/**
 * Byte-level vocabularies spell each byte as one printable character: bytes 33–126, 161–172 and
 * 174–255 stand for themselves, the other 68 become U+0100 and up, in order.
 */
const standIns: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(printable ? byte : next++);
  });
})();

const bytesByStandIn: ReadonlyMap<string, number> = new Map(standIns.map((standIn, byte) => [standIn, byte]));

export function standInOf(byte: number): string {
  return standIns[byte];
}

/** The bytes spelled by stand-ins, or undefined when a character is not one of them. */
export function bytesOfStandIns(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const byte = bytesByStandIn.get(text[index]);
    if (byte === undefined) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}
