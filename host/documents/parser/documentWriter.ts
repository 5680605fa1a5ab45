/**
 * What every parser writes to: blocks go in, the extracted text comes out in one file and its pages, one
 * JSON object a line, in another. Nothing but the open page is held in memory.
 */
import type { FileHandle } from 'node:fs/promises';
import type { BlockKind, PageUnit, DocumentFormat, ParsedDocument, ParsedPage, TextBox } from '../../contract/documentModel.ts';
import { TextWriter } from '../textWriter.ts';

export interface BlockOptions {
  level?: number;
  /** Offsets of the block's own text. */
  boxes?: readonly TextBox[];
  /** What stands between the block before and this one. */
  separator?: string;
}

const longestTitle = 200;
const betweenBlocks = '\n\n';
const betweenItems = '\n';

export class DocumentWriter {
  readonly #text: TextWriter;
  readonly #structure: FileHandle;
  #page: ParsedPage | null = null;
  #pages = 0;
  #characters = 0;
  #blank = true;
  #lastKind: BlockKind | undefined;

  constructor(text: FileHandle, structure: FileHandle) {
    this.#text = new TextWriter(text);
    this.#structure = structure;
  }

  get pages(): number {
    return this.#pages;
  }

  get characters(): number {
    return this.#characters;
  }

  /** True while nothing but white space has been written. */
  get blank(): boolean {
    return this.#blank;
  }

  /** Ends the open page and begins another. */
  async openPage(label: string, size: ParsedPage['size'] = null): Promise<void> {
    await this.#closePage();
    this.#pages += 1;
    this.#page = { label: label.slice(0, longestTitle), start: -1, end: -1, size, blocks: [], boxes: [], headings: [] };
  }

  /** Appends a block; `text` has `\n` line ends only and no half characters. */
  async add(kind: BlockKind, text: string, { level = 0, boxes = [], separator }: BlockOptions = {}): Promise<void> {
    const page = this.#page;
    if (!page) throw new Error('A block belongs to a page.');
    if (text === '') return;
    await this.write(separator ?? this.#separatorBefore(kind));
    this.#lastKind = kind;
    const start = this.#characters;
    await this.write(text);
    const end = this.#characters;
    if (page.start < 0) page.start = start;
    page.end = end;
    page.blocks.push({ kind, level, start, end });
    for (const box of boxes) page.boxes.push({ ...box, start: box.start + start, end: box.end + start });
    if (kind === 'heading') page.headings.push({ title: titleOf(text), level: Math.min(6, Math.max(1, level)), start });
  }

  #separatorBefore(kind: BlockKind): string {
    if (this.#characters === 0) return '';
    return kind === 'item' && this.#lastKind === 'item' ? betweenItems : betweenBlocks;
  }

  /** Text that belongs to no block: what stands between two of them. */
  async write(text: string): Promise<void> {
    if (text === '') return;
    if (this.#blank) this.#blank = text.trim() === '';
    await this.#text.write(text);
    this.#characters += text.length;
  }

  async finish(format: DocumentFormat, unit: PageUnit, notices: readonly string[]): Promise<ParsedDocument> {
    await this.#closePage();
    const { bytes, sha256, checkpoints, characters } = await this.#text.finish();
    if (characters !== this.#characters) throw new Error('A block had a line end that was changed on the way.');
    return { format, unit, pages: this.#pages, characters, bytes, sha256, checkpoints: checkpoints.map(([unit16, byte]) => [unit16, byte]), notices: [...notices] };
  }

  async #closePage(): Promise<void> {
    const page = this.#page;
    if (!page) return;
    // A page without text lies where it would have been.
    if (page.start < 0) page.start = page.end = this.#characters;
    await this.#structure.write(`${JSON.stringify(page)}\n`);
    this.#page = null;
  }
}

function titleOf(text: string): string {
  // Markdown's own marks are not part of it.
  const title = text.replace(/^ {0,3}#{1,6}\s+/, '').replaceAll(/\s+/g, ' ').trim();
  return title.length > longestTitle ? `${title.slice(0, longestTitle - 1)}…` : title;
}
