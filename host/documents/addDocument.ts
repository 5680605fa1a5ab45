/** A file, a folder or a pasted text → its text and structure in a folder of ours. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedDocument } from '../contract/documentModel.ts';
import { HostError, systemErrorCode } from '../errors.ts';
import { formatBytes, quoted } from '../wording.ts';
import { DocumentWriter } from './parser/documentWriter.ts';
import { FlowingText } from './parser/flowingText.ts';
import { formatOfName } from './parser/formats.ts';
import { structureFile, textFile } from './parser/parse.ts';
import { empty } from './parser/refusals.ts';
import { type ParserOptions, parseInProcess } from './parserProcess.ts';

export const maximumDocumentBytes = 256_000_000;
/** A pasted text goes piece by piece, so that its copy never exists twice. */
const pieceUnits = 256 * 1024;

/** @param output a folder that is there and empty */
export async function parseFile(path: string, name: string, output: string, options: ParserOptions = {}): Promise<ParsedDocument> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  if (!found.isDirectory()) checkFile(found, name);
  return parseInProcess(path, name, output, options);
}

function checkFile(found: { isFile(): boolean; size: number }, name: string): void {
  if (!found.isFile()) throw new HostError('file-unreadable', `${quoted(name)} is not a regular file.`, 'Choose a file or a folder.');
  if (found.size === 0) throw empty(name);
  if (found.size > maximumDocumentBytes) {
    throw new HostError(
      'document-too-large',
      `${quoted(name)} is ${formatBytes(found.size)}; Longleaf reads documents of up to ${formatBytes(maximumDocumentBytes)}.`,
      'Split it into smaller files.',
    );
  }
}

/** Text that is in this process already, and in no format: nothing that could misbehave. */
export async function parsePasted(pasted: string, name: string, output: string): Promise<ParsedDocument> {
  if (pasted.includes('\0')) {
    throw new HostError('document-binary', `${quoted(name)} is not text: it contains zero characters.`, 'Paste plain text.');
  }
  const format = formatOfName(name) === 'markdown' ? 'markdown' : 'text';
  const [text, structure] = await Promise.all([textFile, structureFile].map((file) => open(join(output, file), 'w', 0o600)));
  try {
    const writer = new DocumentWriter(text, structure);
    const flowing = new FlowingText(writer, format, pasted.length, String);
    for (let start = 0; start < pasted.length; start += pieceUnits) await flowing.write(pasted.slice(start, start + pieceUnits));
    await flowing.finish();
    if (writer.blank) throw empty(name);
    return await writer.finish(format, 'part', []);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOSPC') throw error;
    throw new HostError('disk-full', `The disk is full: the text of ${quoted(name)} could not be kept.`, 'Free some space and add it again.', { cause: error });
  } finally {
    await Promise.all([text.close(), structure.close()]);
  }
}

function unreadable(name: string, error: unknown): HostError {
  const code = systemErrorCode(error);
  if (code === 'ENOENT') {
    return new HostError('file-not-found', `There is no file ${quoted(name)}.`, 'Check its name and where it is.', { cause: error });
  }
  const reason = code === 'EACCES' || code === 'EPERM' ? 'you have no permission to read it' : (code ?? String(error));
  return new HostError('file-unreadable', `${quoted(name)} cannot be read: ${reason}.`, 'Give yourself read access to the file, or choose another.', {
    cause: error,
  });
}
