/**
 * Kept segments in the shape in which the far store thinks of what is outside RAM: runs [2][kvHead][token][words] of a
 * layer and a far segment, whose tokens may lie in several kept segments.
 */
import type { SharedTarget, Stretches } from '../ports.ts';
import type { HeadRun, KeptVectors, VectorRead } from './keptVectors.ts';

export interface RunShape {
  kvHeads: number;
  segmentTokens: number;
  /** Bytes of one stored vector. */
  recordBytes: number;
  /** The model's block of each far layer. */
  blocks: readonly number[];
}

export class KeptRuns {
  readonly vectors: KeptVectors;
  readonly #shape: RunShape;

  constructor(vectors: KeptVectors, shape: RunShape) {
    this.vectors = vectors;
    this.#shape = shape;
  }

  /** Byte ranges of one run, in their order; they may share a buffer. */
  async read(layer: number, segment: number, ranges: readonly { offsetBytes: number; lengthBytes: number }[]): Promise<Uint8Array[]> {
    const { kvHeads, segmentTokens, recordBytes, blocks } = this.#shape;
    const headBytes = segmentTokens * recordBytes;
    const runs: HeadRun[] = [];
    const places: { range: number; to: number }[] = [];
    for (const [index, { offsetBytes, lengthBytes }] of ranges.entries()) {
      for (let done = 0; done < lengthBytes; ) {
        const row = Math.floor((offsetBytes + done) / headBytes);
        const within = (offsetBytes + done) % headBytes;
        const length = Math.min(lengthBytes - done, headBytes - within);
        runs.push({
          block: blocks[layer],
          kind: row < kvHeads ? 'keys' : 'values',
          kvHead: row % kvHeads,
          recordBytes,
          beginByte: segment * headBytes + within,
          lengthBytes: length,
        });
        places.push({ range: index, to: done });
        done += length;
      }
    }
    const pieces = await this.vectors.read(runs);
    // A range of one head is passed on without a copy.
    const results: Uint8Array[] = Array.from({ length: ranges.length });
    for (const [index, piece] of pieces.entries()) {
      const { range, to } = places[index];
      const { lengthBytes } = ranges[range];
      if (piece.length === lengthBytes) results[range] = piece;
      else (results[range] ??= new Uint8Array(lengthBytes)).set(piece, to);
    }
    return results;
  }

  /** Whether `readShared` can. */
  get sharesReads(): boolean {
    return this.vectors.sharesReads;
  }

  /** Single vectors of a layer's runs to shared memory; when it settles nothing is written there any more. */
  readShared(layer: number, runs: readonly (Stretches & { segment: number })[], target: SharedTarget): Promise<void> {
    return this.vectors.readShared(this.#shape.blocks[layer], this.#vectorsOf(runs), target);
  }

  *#vectorsOf(runs: readonly (Stretches & { segment: number })[]): Generator<VectorRead> {
    const { kvHeads, segmentTokens, recordBytes } = this.#shape;
    for (const { segment, offsetsBytes, placesBytes } of runs) {
      for (const [index, offsetBytes] of offsetsBytes.entries()) {
        const record = offsetBytes / recordBytes;
        const row = Math.floor(record / segmentTokens);
        yield { kind: row < kvHeads ? 'keys' : 'values', kvHead: row % kvHeads, token: segment * segmentTokens + (record % segmentTokens), placeBytes: placesBytes[index] };
      }
    }
  }
}
