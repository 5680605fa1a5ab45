/** Pages of a document → rows of a virtual list: a long chapter is several rows, so that no row is too tall. */
import type { DocumentBlock } from '../../../host/contract/documentModel.ts';
import type { DocumentPage } from '../../../host/contract/documents.ts';

export interface Slice {
  page: number;
  /** A block belongs to the row that its first character is in. */
  start: number;
  end: number;
  /** Whether the page begins here. */
  first: boolean;
}

export const sliceCharacters = 4000;

export function slicesOf(pages: readonly Pick<DocumentPage, 'start' | 'end'>[]): Slice[] {
  return pages.flatMap(({ start, end }, page) => {
    const count = Math.max(1, Math.ceil((end - start) / sliceCharacters));
    return Array.from({ length: count }, (_, index) => ({
      page,
      start: start + index * sliceCharacters,
      end: index === count - 1 ? Math.max(end, start + 1) : start + (index + 1) * sliceCharacters,
      first: index === 0,
    }));
  });
}

export function blocksOf<B extends Pick<DocumentBlock, 'start'>>(blocks: readonly B[], { start, end }: Slice): B[] {
  return blocks.filter((block) => block.start >= start && block.start < end);
}

/** The page that a character is on; between two, the one before. */
export function pageAt(pages: readonly Pick<DocumentPage, 'start'>[], character: number): number {
  return Math.max(0, pages.findLastIndex(({ start }) => start <= character));
}
