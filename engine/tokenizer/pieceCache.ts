import type { EncodedPiece } from './encodedPiece.ts';

const generationLimit = 65_536;
const lengthLimit = 48;

/**
 * Remembers the tokens of recent short pieces: most words of a book come again. Bounded: when a
 * generation is full it becomes the old one, and what the old one held and nobody asked for is gone.
 */
export class PieceCache {
  private recent = new Map<string, EncodedPiece>();
  private old = new Map<string, EncodedPiece>();

  get(text: string): EncodedPiece | undefined {
    const piece = this.recent.get(text);
    if (piece !== undefined) return piece;
    const aged = this.old.get(text);
    if (aged !== undefined) this.set(text, aged);
    return aged;
  }

  set(text: string, piece: EncodedPiece): void {
    if (text.length > lengthLimit) return;
    if (this.recent.size >= generationLimit) {
      this.old = this.recent;
      this.recent = new Map();
    }
    this.recent.set(detached(text), piece);
  }
}

/** A copy: a slice would keep the whole book it was cut from in memory. */
function detached(text: string): string {
  return text.split('').join('');
}
