/**
 * Running text → paragraphs → parts of about a printed page. The text itself is kept to the last character:
 * what stands between paragraphs is written as it is.
 */
import type { BlockKind } from '../../contract/documentModel.ts';
import type { DocumentWriter } from './documentWriter.ts';

/** About what a printed page holds. */
const partCharacters = 3000;
/** Long texts have longer parts, so that their list stays short. */
const mostParts = 4000;
/** A paragraph without an end is cut, so that a page is never a book. */
const longestBlock = 6000;

export type Flavour = 'text' | 'markdown' | 'code' | 'csv';

export class FlowingText {
  readonly #writer: DocumentWriter;
  readonly #flavour: Flavour;
  readonly #partCharacters: number;
  /** Null: the caller opens the pages. */
  readonly #nameOfPart: ((number: number) => string) | null;
  #held = '';
  #gap: string;
  #partStart = 0;
  #inFence = false;

  /**
   * @param bytes of the whole text, roughly: they decide how long a part is.
   * @param firstGap what stands before the text, when other text does.
   */
  constructor(writer: DocumentWriter, flavour: Flavour, bytes: number, nameOfPart: ((number: number) => string) | null, firstGap = '') {
    this.#gap = firstGap;
    this.#writer = writer;
    this.#flavour = flavour;
    this.#partCharacters = Math.max(partCharacters, Math.ceil(bytes / mostParts));
    this.#nameOfPart = nameOfPart;
  }

  async write(piece: string): Promise<void> {
    // Line ends are made one kind here, so that offsets are those of the kept text.
    const text = this.#held + piece;
    const last = text.charCodeAt(text.length - 1);
    const half = last === 0x0d || (last >= 0xd800 && last <= 0xdbff) ? 1 : 0;
    this.#held = '';
    await this.#split(oneKindOfLineEnd(text.slice(0, text.length - half)), text.slice(text.length - half), false);
  }

  async finish(): Promise<void> {
    const text = oneKindOfLineEnd(this.#held);
    this.#held = '';
    await this.#split(text, '', true);
    await this.#writer.write(this.#gap);
    this.#gap = '';
  }

  async #split(text: string, tail: string, atEnd: boolean): Promise<void> {
    let at = 0;
    while (at < text.length) {
      const start = startOfBlock(text, at);
      // A paragraph is not begun before it is known what follows its first line's indentation.
      if (start >= text.length) {
        if (!atEnd) break;
        this.#gap += text.slice(at);
        at = text.length;
        break;
      }
      const end = endOfBlock(text, start);
      if (end < 0 && text.length - start < longestBlock && !atEnd) {
        break;
      }
      const cut = end < 0 || end - start > longestBlock ? cutBefore(text, start, Math.min(text.length, start + longestBlock)) : end;
      this.#gap += text.slice(at, start);
      await this.#block(text.slice(start, cut));
      at = cut;
    }
    this.#held = text.slice(at) + tail;
  }

  async #block(text: string): Promise<void> {
    const { kind, level } = this.#kindOf(text);
    const full = this.#writer.characters - this.#partStart >= this.#partCharacters;
    const chapter = kind === 'heading' && level <= 2 && this.#writer.characters - this.#partStart >= this.#partCharacters / 2;
    if (this.#nameOfPart && (this.#writer.pages === 0 || full || chapter)) {
      await this.#writer.openPage(this.#nameOfPart(this.#writer.pages + 1));
      this.#partStart = this.#writer.characters;
    }
    await this.#writer.add(kind, text, { level, separator: this.#gap });
    this.#gap = '';
  }

  #kindOf(text: string): { kind: BlockKind; level: number } {
    if (this.#flavour === 'code') return { kind: 'code', level: 0 };
    if (this.#flavour === 'csv') return { kind: 'table', level: 0 };
    if (this.#flavour === 'text') return { kind: 'paragraph', level: 0 };
    const fences = text.match(/^ {0,3}(```|~~~)/gm)?.length ?? 0;
    const inside = this.#inFence;
    if (fences % 2 === 1) this.#inFence = !inside;
    if (inside || fences > 0) return { kind: 'code', level: 0 };
    const marks = /^ {0,3}(#{1,6})\s[^\n]*$/.exec(text)?.[1];
    if (marks) return { kind: 'heading', level: marks.length };
    if (/^\s*([-*+]|\d+[.)])\s/.test(text)) return { kind: 'item', level: 1 };
    if (/^ {0,3}>/.test(text)) return { kind: 'quote', level: 0 };
    if (/^ {0,3}\|/.test(text)) return { kind: 'table', level: 0 };
    return { kind: 'paragraph', level: 0 };
  }
}

/** Where the next line that is not blank begins, its indentation included. */
function startOfBlock(text: string, from: number): number {
  let lineStart = from;
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x0a) lineStart = at + 1;
    else if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0c && unit !== 0xa0) return lineStart;
  }
  return text.length;
}

/** Where the block that begins at `start` ends, its last line end excluded; −1 when a blank line has not come yet. */
function endOfBlock(text: string, start: number): number {
  const blank = /\n[\t\f \u00A0]*\n/g;
  blank.lastIndex = start;
  return blank.exec(text)?.index ?? -1;
}

/** A place before `limit` where a block can be cut: after a line, else after a word, never inside a character. */
function cutBefore(text: string, start: number, limit: number): number {
  if (limit === text.length && limit - start < longestBlock) return trimmedEnd(text, start, limit);
  const line = text.lastIndexOf('\n', limit - 1);
  if (line > start + longestBlock / 2) return line;
  const space = text.lastIndexOf(' ', limit - 1);
  if (space > start + longestBlock / 2) return space + 1;
  const before = text.charCodeAt(limit - 1);
  return before >= 0xd800 && before <= 0xdbff ? limit - 1 : limit;
}

function trimmedEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start + 1 && /\s/.test(text.charAt(at - 1))) at -= 1;
  return at;
}

function oneKindOfLineEnd(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}
