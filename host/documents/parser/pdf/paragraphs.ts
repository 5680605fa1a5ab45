/** Lines of a page → blocks: by their distance, their size, their indentation and how they end. */
import type { BlockKind, TextBox } from '../../../contract/documentModel.ts';
import type { Line, PageLines } from './pageLines.ts';

export interface PdfBlock {
  kind: BlockKind;
  level: number;
  text: string;
  /** Offsets of the block's text. */
  boxes: TextBox[];
  /** Whether the sentence may go on in the next block: on the next page, or in the next column. */
  open: boolean;
}

/** What the whole document says about its type. */
export interface DocumentType {
  /** The size that most characters have, in points. */
  bodySize: number;
  /** Sizes of headings, the largest first. */
  headingSizes: number[];
  /** Words as they are written inside lines, in lower case: they decide about hyphens. */
  words: ReadonlySet<string>;
  /** Whether words were broken at the ends of lines when it was set: most that end with a hyphen are whole elsewhere. */
  breaksWords: boolean;
}

const sameSize = 0.08;
const headingScale = 1.12;
const longestHeadingLines = 4;
const widerThanPitch = 1.3;
/** In sizes of the font. */
const indentation = 0.8;
const shortLine = 3;
const listMark = /^(?:[•◦▪▫‣⁃–-]|\d{1,3}[.)]|[a-z][.)])\s+\S/u;
const sentenceEnd = /[.!?:;…”"’')\]]$/u;
const word = /[\p{L}\p{N}]+(?:[-‐’'][\p{L}\p{N}]+)*/gu;

export function documentType(pages: readonly PageLines[]): DocumentType {
  const charactersBySize = new Map<number, number>();
  const words = new Set<string>();
  for (const { lines } of pages) {
    for (const { text, fontSize } of lines) {
      const size = rounded(fontSize);
      charactersBySize.set(size, (charactersBySize.get(size) ?? 0) + text.length);
      // What ends a line may be half a word.
      for (const [found] of text.replace(/\S+[-‐]$/u, '').matchAll(word)) words.add(found.toLowerCase());
    }
  }
  const bodySize = [...charactersBySize].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0])[0];
  const headingSizes = [...charactersBySize.keys()].filter((size) => size >= headingScale * bodySize).sort((a, b) => b - a);
  return { bodySize, headingSizes, words, breaksWords: breaksWords(pages, words) };
}

function breaksWords(pages: readonly PageLines[], words: ReadonlySet<string>): boolean {
  let broken = 0;
  let whole = 0;
  for (const { lines } of pages) {
    for (const [index, { text }] of lines.entries()) {
      const parts = partsAround(text, lines[index + 1]?.text ?? '');
      if (!parts) continue;
      if (words.has(parts.together)) broken += 1;
      else if (words.has(parts.apart)) whole += 1;
    }
  }
  return broken > whole;
}

export function pageBlocks({ lines }: PageLines, type: DocumentType): PdfBlock[] {
  const pitch = linePitch(lines);
  const groups: Line[][] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    if (group && continues(group, line, pitch)) group.push(line);
    else groups.push([line]);
  }
  return groups.map((group) => blockOf(group, type));
}

/** The distance of baselines that is the commonest on the page; 0 when there is none. */
function linePitch(lines: readonly Line[]): number {
  const counts = new Map<number, number>();
  for (const [index, line] of lines.entries()) {
    const distance = line.baseline - (lines[index - 1]?.baseline ?? line.baseline);
    if (distance > 0 && distance < 4 * line.fontSize) counts.set(rounded(distance), (counts.get(rounded(distance)) ?? 0) + 1);
  }
  return [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0])[0];
}

function continues(group: readonly Line[], line: Line, pitch: number): boolean {
  const last = group.at(-1) as Line;
  const first = group[0] as Line;
  if (Math.abs(line.fontSize - last.fontSize) > sameSize * Math.max(line.fontSize, last.fontSize)) return false;
  if (line.monospaced !== last.monospaced) return false;
  const distance = line.baseline - last.baseline;
  const usual = Math.max(pitch, 1.05 * line.fontSize);
  if (distance <= 0 || distance > widerThanPitch * usual) return false;
  if (line.monospaced) return true;
  if (listMark.test(line.text)) return false;
  const size = line.fontSize;
  const body = group.length > 1 ? Math.min(...group.slice(1).map(({ left }) => left)) : last.left;
  // A first line that is indented, after lines that are not.
  if (line.left - body > indentation * size && group.length > 1) return false;
  if (group.length === 1 && line.left - first.left > indentation * size && sentenceEnd.test(last.text)) return false;
  // The line before ended early, with the end of a sentence.
  const right = Math.max(...group.map((each) => each.right), line.right);
  return !(right - last.right > shortLine * size && sentenceEnd.test(last.text));
}

function blockOf(lines: readonly Line[], type: DocumentType): PdfBlock {
  const first = lines[0] as Line;
  const code = lines.length > 1 && lines.every(({ monospaced }) => monospaced);
  const level = type.headingSizes.findIndex((size) => Math.abs(size - rounded(first.fontSize)) < 0.01) + 1;
  const isHeading = level > 0 && lines.length <= longestHeadingLines && !code;
  let text = '';
  const boxes: TextBox[] = [];
  for (const line of lines) {
    if (text !== '') {
      const joined = code ? { text, glue: '\n' } : joinLines(text, line.text, type);
      text = joined.text;
      // A hyphen that is gone has no box.
      const lastBox = boxes.at(-1);
      if (lastBox) lastBox.end = Math.min(lastBox.end, text.length);
      text += joined.glue;
    }
    for (const run of line.runs) {
      const start = text.length;
      text += run.text;
      const end = start + run.text.trimEnd().length;
      if (end > start) boxes.push({ start, end, x: rounded(run.x), y: rounded(run.y), width: rounded(run.width), height: rounded(run.height) });
    }
  }
  const kind: BlockKind = isHeading ? 'heading' : code ? 'code' : listMark.test(text) ? 'item' : 'paragraph';
  return { kind, level: isHeading ? Math.min(6, level) : kind === 'item' ? 1 : 0, text, boxes, open: kind === 'paragraph' && !/[.!?:…]["”’')\]]*$/u.test(text) };
}

/** Two lines of one paragraph: what stands between them, and the first without a hyphen that only ended the line. */
export function joinLines(before: string, after: string, { words, breaksWords }: Pick<DocumentType, 'words' | 'breaksWords'>): { text: string; glue: string } {
  const parts = partsAround(before, after);
  // A dash between words that a line was broken after has no space, a hyphen has none either.
  if (!parts) return { text: before, glue: /[\p{L}\p{N}][—–]$/u.test(before) ? '' : ' ' };
  const { together, apart, hyphen, half, next } = parts;
  const maybe = breaksWords && !words.has(apart) && /^\p{Ll}/u.test(next) && !half.includes('-');
  const isBroken = hyphen === '\u00AD' || (words.has(together) && !words.has(apart)) || maybe;
  return { text: isBroken ? before.slice(0, -1) : before, glue: '' };
}

/** What stands on both sides of a hyphen at the end of a line. */
function partsAround(before: string, after: string) {
  const [, half, hyphen] = /([\p{L}\p{N}]+(?:[-‐][\p{L}\p{N}]+)*)([-‐\u00AD])$/u.exec(before) ?? [];
  const next = /^[\p{L}\p{N}]+/u.exec(after)?.[0];
  if (half === undefined || hyphen === undefined || next === undefined) return undefined;
  return { half, next, hyphen, together: (half + next).toLowerCase(), apart: `${half}-${next}`.toLowerCase() };
}

function rounded(points: number): number {
  return Math.round(points * 100) / 100;
}
