/**
 * A segment on disk: a folder `KEY.GENERATION` with two files that are never changed.
 *
 * `data`      every part from a multiple of 4 KiB on, padded with zeros; then a CRC-32 for every block
 *             of 4 KiB, as little-endian u32. A block's checksum also covers its number and the
 *             segment's key: a block that lands in the wrong place does not pass for the right one.
 * `manifest`  a record (records.ts): what the segment is, where its parts are, the checksum of checksums.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { blockBytes, blockChecksum } from './blocks.ts';

const formatVersion = 1;
/** The part that the store itself writes: token ids as little-endian u32. */
export const tokensPart = 'tokens';

export const segmentKey = z.string().regex(/^[0-9a-f]{64}$/);
const byteCount = z.number().int().nonnegative();

export const manifest = z.object({
  format: z.literal(formatVersion),
  key: segmentKey,
  /** null for the first segment of a prompt. */
  parent: segmentKey.nullable(),
  fingerprint: z.string(),
  /** How many tokens lie before this segment. */
  position: byteCount,
  tokenCount: byteCount,
  createdAtMs: byteCount,
  /** `[name, bytes]`, in the order in which they lie in `data`. */
  parts: z.array(z.tuple([z.string(), byteCount])),
  /** CRC-32 of the checksum table. */
  tableChecksum: byteCount,
});
export type Manifest = z.infer<typeof manifest>;

/** One named piece of what the engine keeps of a segment: "keys.3", "sketch.3", "rings". */
export interface Part {
  name: string;
  bytes: Uint8Array;
}

export interface PartPlace {
  offsetBytes: number;
  lengthBytes: number;
}

/** Where everything lies in `data`. */
export interface DataLayout {
  parts: ReadonlyMap<string, PartPlace>;
  /** Blocks of parts; the checksum table follows them. */
  blocks: number;
  fileBytes: number;
}

export function layOut(parts: Manifest['parts']): DataLayout {
  const places = new Map<string, PartPlace>();
  let blocks = 0;
  for (const [name, lengthBytes] of parts) {
    places.set(name, { offsetBytes: blocks * blockBytes, lengthBytes });
    blocks += Math.ceil(lengthBytes / blockBytes);
  }
  return { parts: places, blocks, fileBytes: blocks * (blockBytes + 4) };
}

/**
 * SHA-256 of what determines a segment's content: everything before it, its tokens, and the model with
 * its formats (`fingerprint`). Hexadecimal.
 */
export function keyOf(parent: string | null, fingerprint: string, tokens: Uint32Array | readonly number[]): string {
  const hash = createHash('sha256');
  hash.update(`longleaf segment ${formatVersion}\n${parent ?? ''}\n${Buffer.byteLength(fingerprint)}\n${fingerprint}`);
  return hash.update(encodeTokens(tokens)).digest('hex');
}

export function encodeTokens(tokens: Uint32Array | readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(tokens.length * 4);
  for (let index = 0; index < tokens.length; index += 1) bytes.writeUInt32LE(tokens[index], index * 4);
  return bytes;
}

export function decodeTokens(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true));
}

/** After so many blocks, half a millisecond, others have a turn: whoever seals feeds a GPU as well. */
const blocksAtOnce = 256;

/** The bytes of `data`, in pieces, and the checksum that goes into the manifest. */
export class DataPieces {
  readonly #parts: readonly Part[];
  readonly #table: Buffer;

  private constructor(parts: readonly Part[], table: Buffer) {
    this.#parts = parts;
    this.#table = table;
  }

  /** Others have turns meanwhile, and must leave the parts as they are. */
  static async of(key: string, parts: readonly Part[]): Promise<DataPieces> {
    const table = Buffer.alloc(4 * parts.reduce((blocks, { bytes }) => blocks + Math.ceil(bytes.length / blockBytes), 0));
    let block = 0;
    for (const { bytes } of parts) {
      for (let offset = 0; offset < bytes.length; offset += blockBytes, block += 1) {
        if (block % blocksAtOnce === blocksAtOnce - 1) await nextTurn();
        const piece = bytes.subarray(offset, offset + blockBytes);
        const content = piece.length === blockBytes ? piece : padded(piece);
        table.writeUInt32LE(blockChecksum(key, block, content), block * 4);
      }
    }
    return new DataPieces(parts, table);
  }

  get tableChecksum(): number {
    return crc32(this.#table);
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const { bytes } of this.#parts) {
      if (bytes.length > 0) yield bytes;
      const tail = bytes.length % blockBytes;
      if (tail > 0) yield new Uint8Array(blockBytes - tail);
    }
    if (this.#table.length > 0) yield this.#table;
  }
}

function padded(piece: Uint8Array): Uint8Array {
  const content = new Uint8Array(blockBytes);
  content.set(piece);
  return content;
}
