/** Characters of a document → the pages and, where pages have a shape, the boxes they stand in; and back. */
import type { ParsedPage, TextBox } from '../contract/documentModel.ts';

/** The parts of a page's boxes that hold characters of a span: a run that is cut is cut by its share of characters. */
export function boxesOf({ boxes }: Pick<ParsedPage, 'boxes'>, start: number, end: number): TextBox[] {
  return boxes.flatMap((box) => {
    const from = Math.max(start, box.start);
    const to = Math.min(end, box.end);
    if (from >= to) return [];
    const perCharacter = box.width / (box.end - box.start);
    return [{ ...box, start: from, end: to, x: box.x + (from - box.start) * perCharacter, width: (to - from) * perCharacter }];
  });
}

/** The characters whose boxes meet a rectangle of a page; undefined where there are none. */
export function spanOf({ boxes }: Pick<ParsedPage, 'boxes'>, area: { x: number; y: number; width: number; height: number }): { start: number; end: number } | undefined {
  let start = Infinity;
  let end = -Infinity;
  for (const box of boxes) {
    const middle = box.y + box.height / 2;
    if (middle < area.y || middle > area.y + area.height) continue;
    const perCharacter = box.width / (box.end - box.start);
    // A character belongs to the rectangle when its middle does.
    const from = Math.max(0, Math.ceil((area.x - box.x) / perCharacter - 0.5));
    const to = Math.min(box.end - box.start, Math.floor((area.x + area.width - box.x) / perCharacter + 0.5));
    if (from >= to) continue;
    start = Math.min(start, box.start + from);
    end = Math.max(end, box.start + to);
  }
  return start < end ? { start, end } : undefined;
}
