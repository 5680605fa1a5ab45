/** Keys and values of kept tokens, read across the segments that hold them. */
import { allSettled } from '../allSettled.ts';
import type { KeptSegment, SharedTarget } from '../ports.ts';
import { keysPart, valuesPart } from './parts.ts';

/** A run of one head's vectors, in bytes from the start of the sequence: token · bytes of a record + byte. */
export interface HeadRun {
  block: number;
  kind: 'keys' | 'values';
  kvHead: number;
  recordBytes: number;
  beginByte: number;
  lengthBytes: number;
}

/** One vector of a head, and where it goes in shared memory. */
export interface VectorRead {
  kind: 'keys' | 'values';
  kvHead: number;
  token: number;
  placeBytes: number;
}

export class KeptVectors {
  /** In order, without gaps, from the first token of the sequence. */
  readonly segments: readonly KeptSegment[];

  constructor(segments: readonly KeptSegment[]) {
    this.segments = segments;
  }

  get tokens(): number {
    const last = this.segments.at(-1);
    return last ? last.position + last.tokenCount : 0;
  }

  /** Every run's bytes, in their order. Rejects with RangeError for a token that was not kept. */
  async read(runs: readonly HeadRun[]): Promise<Uint8Array[]> {
    const wanted = new Map<KeptSegment, { run: number; to: number; part: string; offsetBytes: number; lengthBytes: number }[]>();
    for (const [index, { block, kind, kvHead, recordBytes, beginByte, lengthBytes }] of runs.entries()) {
      const part = kind === 'keys' ? keysPart(block) : valuesPart(block);
      for (let done = 0; done < lengthBytes; ) {
        const byte = beginByte + done;
        const segment = this.#holding(Math.floor(byte / recordBytes));
        const firstByte = segment.position * recordBytes;
        const headBytes = segment.tokenCount * recordBytes;
        const length = Math.min(lengthBytes - done, firstByte + headBytes - byte);
        const pieces = wanted.get(segment) ?? [];
        pieces.push({ run: index, to: done, part, offsetBytes: kvHead * headBytes + byte - firstByte, lengthBytes: length });
        wanted.set(segment, pieces);
        done += length;
      }
    }
    // A run that lies in one segment is passed on without a copy.
    const results: Uint8Array[] = Array.from({ length: runs.length });
    await Promise.all(
      [...wanted].map(async ([segment, pieces]) => {
        const bytes = await segment.read(pieces);
        for (const [index, { run, to, lengthBytes }] of pieces.entries()) {
          if (lengthBytes === runs[run].lengthBytes) results[run] = bytes[index];
          else (results[run] ??= new Uint8Array(runs[run].lengthBytes)).set(bytes[index], to);
        }
      }),
    );
    return results;
  }

  /** Whether `readShared` can. */
  get sharesReads(): boolean {
    return this.segments.every(({ readShared }) => readShared !== undefined);
  }

  /** Single vectors of a block to shared memory; when it settles nothing is written there any more. */
  async readShared(block: number, vectors: Iterable<VectorRead>, target: SharedTarget): Promise<void> {
    const wanted = new Map<KeptSegment, Record<VectorRead['kind'], { part: string; offsetsBytes: number[]; placesBytes: number[] }>>();
    for (const { kind, kvHead, token, placeBytes } of vectors) {
      const segment = this.#holding(token);
      let parts = wanted.get(segment);
      if (!parts) {
        parts = { keys: { part: keysPart(block), offsetsBytes: [], placesBytes: [] }, values: { part: valuesPart(block), offsetsBytes: [], placesBytes: [] } };
        wanted.set(segment, parts);
      }
      parts[kind].offsetsBytes.push((kvHead * segment.tokenCount + token - segment.position) * target.lengthBytes);
      parts[kind].placesBytes.push(placeBytes);
    }
    await allSettled([...wanted].map(async ([segment, { keys, values }]) => segment.readShared?.([keys, values], target)));
  }

  #holding(token: number): KeptSegment {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.segments[middle].position + this.segments[middle].tokenCount <= token) low = middle + 1;
      else high = middle;
    }
    const segment = this.segments.at(low);
    if (!segment) throw new RangeError(`token ${token} was not kept`);
    return segment;
  }
}
