/** The blocks of a segment's `data`, and their checksums. Threads load this and nothing else of the format. */
import { crc32 } from 'node:zlib';

export const blockBytes = 4096;

/** The checksum of a block of `data`; `block` counts from the start of the file. */
export function blockChecksum(key: string, block: number, content: Uint8Array): number {
  return crc32(content, (Number.parseInt(key.slice(0, 8), 16) ^ block) >>> 0);
}

/** Which blocks of a run, from its first on, do not match their checksums (little-endian u32 each). */
export function badBlocks(bytes: Uint8Array, { firstBlock, checksums, key }: { firstBlock: number; checksums: Uint8Array; key: string }): number[] {
  const table = new DataView(checksums.buffer, checksums.byteOffset, checksums.byteLength);
  const bad: number[] = [];
  for (let block = 0; block * 4 < checksums.length; block += 1) {
    const content = bytes.subarray(block * blockBytes, (block + 1) * blockBytes);
    if (blockChecksum(key, firstBlock + block, content) !== table.getUint32(block * 4, true)) bad.push(block);
  }
  return bad;
}
