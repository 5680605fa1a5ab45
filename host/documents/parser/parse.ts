/** One file or folder → its text and its structure in two new files. Runs in a process of its own. */
import { open } from 'node:fs/promises';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentFormat, ParsedDocument } from '../../contract/documentModel.ts';
import { DocumentWriter } from './documentWriter.ts';
import { readFirstBytes } from './firstBytes.ts';
import { formatOf } from './formats.ts';
import { empty } from './refusals.ts';
import type { DocumentParser, ParserSource } from './source.ts';
import { textParser } from './textFile.ts';

export const textFile = 'text.txt';
export const structureFile = 'structure.jsonl';

/** Each is loaded when it is needed. */
const parsers: Record<DocumentFormat, () => Promise<DocumentParser> | DocumentParser> = {
  text: () => textParser('text'),
  markdown: () => textParser('markdown'),
  code: () => textParser('code'),
  csv: () => textParser('csv'),
  html: async () => (await import('./htmlFile.ts')).parseHtmlFile,
  pdf: async () => (await import('./pdf/parsePdf.ts')).parsePdf,
  epub: async () => (await import('./epub.ts')).parseEpub,
  docx: async () => (await import('./docx.ts')).parseDocx,
  xlsx: async () => (await import('./xlsx.ts')).parseXlsx,
  pptx: async () => (await import('./pptx.ts')).parsePptx,
  folder: async () => (await import('./folder.ts')).parseFolder,
};

/** @param output a folder that is there and empty */
export async function parse(source: ParserSource, output: string): Promise<ParsedDocument> {
  const isFolder = (await stat(source.path)).isDirectory();
  const format = isFolder ? 'folder' : formatOf(source.name, await readFirstBytes(source.path));
  const parser = await parsers[format]();
  const text = await open(join(output, textFile), 'w', 0o600);
  const structure = await open(join(output, structureFile), 'w', 0o600);
  try {
    const writer = new DocumentWriter(text, structure);
    const outcome = await parser(source, writer);
    if (writer.blank) throw empty(source.name);
    return await writer.finish(outcome.format, outcome.unit, outcome.notices);
  } finally {
    await text.close();
    await structure.close();
  }
}
