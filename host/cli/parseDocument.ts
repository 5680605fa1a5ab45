/** A document that a command names by its path: a file of any format that is read, or a folder. */
import { basename, join, resolve } from 'node:path';
import { parseFile } from '../documents/addDocument.ts';
import { textFile } from '../documents/parser/parse.ts';
import type { CommandContext } from './context.ts';

/** @param folder a folder that is there and empty, for its text */
export async function parseForCommand({ output }: CommandContext, documentPath: string, folder: string): Promise<{ name: string; textPath: string }> {
  const name = basename(resolve(documentPath));
  const { notices } = await parseFile(documentPath, name, folder);
  for (const notice of notices) output.note(`${name}: ${notice}`);
  return { name, textPath: join(folder, textFile) };
}
