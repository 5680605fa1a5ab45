/** Blocks of a format without pages of its own → parts of about a printed page each. */
import type { DocumentWriter } from './documentWriter.ts';
import type { HtmlBlock } from './htmlBlocks.ts';

const partCharacters = 3000;
const mostParts = 4000;

export async function writeParts(writer: DocumentWriter, blocks: readonly HtmlBlock[]): Promise<void> {
  const characters = blocks.reduce((sum, { text }) => sum + text.length, 0);
  const limit = Math.max(partCharacters, Math.ceil(characters / mostParts));
  let start = -1;
  for (const block of blocks) {
    const length = writer.characters - start;
    const chapter = block.kind === 'heading' && block.level <= 2;
    if (start < 0 || length >= limit || (chapter && length >= limit / 2)) {
      await writer.openPage(String(writer.pages + 1));
      start = writer.characters;
    }
    await writeBlock(writer, block);
  }
}

export async function writeBlock(writer: DocumentWriter, { kind, level, text }: HtmlBlock): Promise<void> {
  await writer.add(kind, text, { level });
}
