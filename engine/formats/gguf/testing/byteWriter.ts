/** Collects little-endian values one after the other, for building files in tests. */
export class ByteWriter {
  private readonly pieces: Uint8Array[] = [];
  private written = 0;

  get lengthBytes(): number {
    return this.written;
  }

  bytes(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.written += piece.length;
    return this;
  }

  ascii(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  uint32(value: number): this {
    return this.scalar(4, (view) => view.setUint32(0, value, true));
  }

  uint64(value: number | bigint): this {
    return this.scalar(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  /** `write` fills a view of `sizeBytes` zero bytes. */
  scalar(sizeBytes: number, write: (view: DataView) => void): this {
    const piece = new Uint8Array(sizeBytes);
    write(new DataView(piece.buffer));
    return this.bytes(piece);
  }

  /** A GGUF string: a 64-bit length and UTF-8 bytes. */
  text(text: string): this {
    const encoded = new TextEncoder().encode(text);
    return this.uint64(encoded.length).bytes(encoded);
  }

  padTo(alignment: number): this {
    return this.bytes(new Uint8Array((alignment - (this.written % alignment)) % alignment));
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.written);
    let position = 0;
    for (const piece of this.pieces) {
      all.set(piece, position);
      position += piece.length;
    }
    return all;
  }
}
