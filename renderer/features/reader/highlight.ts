/** Boxes of a passage → as few rectangles as say where it is: one a block, blocks below one another joined. */
import type { DocumentBlock, TextBox } from '../../../host/contract/documentModel.ts';

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rectangles that are closer than this many heights of a line are one passage. */
const joinedWithin = 2;

export function highlightAreas(boxes: readonly TextBox[], blocks: readonly Pick<DocumentBlock, 'start' | 'end'>[]): Area[] {
  const areas: Area[] = [];
  let block = -1;
  let lineHeight = 0;
  for (const box of boxes) {
    const own = blocks.findIndex(({ start, end }) => box.start >= start && box.start < end);
    const last = areas.at(-1);
    // A block that goes on in the next column stands beside itself, or above.
    const isApart = last !== undefined && (box.y < last.y - box.height || overlap(last, box) <= 0);
    const isNear = last !== undefined && box.y - (last.y + last.height) < joinedWithin * Math.max(lineHeight, box.height);
    if (last && !isApart && (own === block || isNear)) Object.assign(last, union(last, box));
    else areas.push({ x: box.x, y: box.y, width: box.width, height: box.height });
    block = own;
    lineHeight = box.height;
  }
  return areas;
}

/** How far two share a stretch of the page's width, in points; words of one line share none but touch. */
function overlap(a: Area, b: Area): number {
  const isSameLine = Math.abs(a.y + a.height - (b.y + b.height)) < b.height;
  const gap = Math.max(a.x, b.x) - Math.min(a.x + a.width, b.x + b.width);
  return isSameLine && gap < 3 * b.height ? 1 : -gap;
}

function union(a: Area, b: Area): Area {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return { x, y, width: Math.max(a.x + a.width, b.x + b.width) - x, height: Math.max(a.y + a.height, b.y + b.height) - y };
}
