/** A file that the hub of tests holds: in memory, or on disk. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

export interface HubContent {
  sizeBytes: number;
  sha256: string;
  /** Bytes [start, end). */
  read(start: number, end: number): Readable;
}

const chunkBytes = 64 * 1024;

export function contentOf(bytes: Uint8Array): HubContent {
  const chunks = function* (start: number, end: number) {
    for (let offset = start; offset < end; offset += chunkBytes) yield bytes.subarray(offset, Math.min(offset + chunkBytes, end));
  };
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    read: (start, end) => Readable.from(chunks(start, end), { objectMode: false }),
  };
}

export function contentAt(path: string, sizeBytes: number, sha256: string): HubContent {
  return { sizeBytes, sha256, read: (start, end) => (start < end ? createReadStream(path, { start, end: end - 1, highWaterMark: chunkBytes }) : Readable.from([])) };
}
