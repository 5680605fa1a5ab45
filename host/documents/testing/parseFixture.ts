/** Documents of testdata/, parsed as people's are: in a process of their own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParsedDocument, type ParsedPage, parsedPage } from '../../contract/documentModel.ts';
import { temporaryFolder } from '../../testing/temporaryFolder.ts';
import { parseFile } from '../addDocument.ts';
import type { ParserOptions } from '../parserProcess.ts';
import { structureFile, textFile } from '../parser/parse.ts';

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
}

export interface ParsedFiles {
  document: ParsedDocument;
  text: string;
  pages: ParsedPage[];
}

const known = new Map<string, Promise<ParsedFiles>>();

/** Parsed once a test file. */
export function parsedFixture(name: string): Promise<ParsedFiles> {
  const files = known.get(name) ?? parsed(fixturePath(name), name);
  known.set(name, files);
  return files;
}

export async function parsed(path: string, name: string, options?: ParserOptions): Promise<ParsedFiles> {
  const output = temporaryFolder();
  const document = await parseFile(path, name, output, options);
  const lines = readFileSync(join(output, structureFile), 'utf8').trim().split('\n');
  return { document, text: readFileSync(join(output, textFile), 'utf8'), pages: lines.map((line) => parsedPage.parse(JSON.parse(line))) };
}
