/** A file → its text as UTF-8 in a file of ours. Two passes in bounded memory: recognise, then decode. */
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { HostError, systemErrorCode } from '../errors.ts';
import { formatBytes, quoted } from '../wording.ts';
import { type Recognition, TextRecogniser } from './recogniseText.ts';
import { TextWriter, type WrittenText } from './textWriter.ts';

export const maximumDocumentBytes = 256_000_000;
const chunkBytes = 256 * 1024;
/** Decoding of a pasted text goes piece by piece too, so that its copy never exists twice. */
const pieceUnits = 256 * 1024;

export interface ExtractedText extends WrittenText {
  format: 'text' | 'markdown';
  notices: string[];
}

/** Formats that look like text to nobody, or that hold their text inside markup this version cannot read. */
const otherFormats: Record<string, string> = {
  '.pdf': 'PDF',
  '.epub': 'EPUB',
  '.doc': 'Word',
  '.docx': 'Word',
  '.odt': 'OpenDocument',
  '.rtf': 'RTF',
  '.mobi': 'Mobipocket',
  '.azw3': 'Kindle',
};

export async function extractFile(sourcePath: string, name: string, targetPath: string): Promise<ExtractedText> {
  const format = formatOf(name);
  await checkFile(sourcePath, name);
  const recognition = await recognise(sourcePath, name);
  if (recognition.kind === 'binary') {
    throw new HostError(
      'document-binary',
      `${quoted(name)} is not a text file: ${recognition.reason}.`,
      'Choose a plain text (.txt) or Markdown (.md) file.',
    );
  }
  const decoder = new TextDecoder(recognition.encoding);
  const pieces = async function* () {
    for await (const chunk of createReadStream(sourcePath, { highWaterMark: chunkBytes })) {
      yield decoder.decode(chunk as Buffer, { stream: true });
    }
    yield decoder.decode();
  };
  return { ...(await writeText(pieces(), name, targetPath)), format, notices: recognition.notices };
}

export async function extractPasted(text: string, name: string, targetPath: string): Promise<ExtractedText> {
  if (text.includes('\0')) {
    throw new HostError('document-binary', `${quoted(name)} is not text: it contains zero characters.`, 'Paste plain text.');
  }
  const pieces = async function* () {
    for (let start = 0; start < text.length; start += pieceUnits) yield text.slice(start, start + pieceUnits);
  };
  return { ...(await writeText(pieces(), name, targetPath)), format: formatOf(name), notices: [] };
}

function formatOf(name: string): 'text' | 'markdown' {
  const extension = extname(name).toLowerCase();
  const other = otherFormats[extension];
  if (other) {
    throw new HostError(
      'document-format',
      `${quoted(name)} is a ${other} file; this version reads plain text and Markdown only.`,
      'Save or export it as plain text (.txt) and add that file.',
    );
  }
  return extension === '.md' || extension === '.markdown' ? 'markdown' : 'text';
}

async function checkFile(path: string, name: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  if (found.isDirectory()) {
    throw new HostError('file-is-a-directory', `${quoted(name)} is a folder, not a file.`, 'Choose a text file inside it.');
  }
  if (!found.isFile()) {
    throw new HostError('file-unreadable', `${quoted(name)} is not a regular file.`, 'Choose a plain text (.txt) or Markdown (.md) file.');
  }
  if (found.size === 0) throw empty(name);
  if (found.size > maximumDocumentBytes) {
    throw new HostError(
      'document-too-large',
      `${quoted(name)} is ${formatBytes(found.size)}; Longleaf reads texts of up to ${formatBytes(maximumDocumentBytes)}.`,
      'Split it into smaller files.',
    );
  }
}

async function recognise(path: string, name: string): Promise<Recognition> {
  const recogniser = new TextRecogniser();
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) recogniser.add(chunk as Buffer);
  } catch (error) {
    throw unreadable(name, error);
  }
  return recogniser.finish();
}

async function writeText(pieces: AsyncIterable<string>, name: string, targetPath: string): Promise<WrittenText> {
  const file = await open(targetPath, 'w', 0o600);
  try {
    const writer = new TextWriter(file);
    for await (const piece of pieces) if (piece.length > 0) await writer.write(piece);
    const written = await writer.finish();
    if (written.blank) throw empty(name);
    return written;
  } catch (error) {
    await rm(targetPath, { force: true });
    if (systemErrorCode(error) === 'ENOSPC') {
      throw new HostError('disk-full', `The disk is full: the text of ${quoted(name)} could not be kept.`, 'Free some space and add it again.', {
        cause: error,
      });
    }
    throw error;
  } finally {
    await file.close();
  }
}

function empty(name: string): HostError {
  return new HostError('document-empty', `${quoted(name)} is empty: there is nothing to read in it.`, 'Choose a file that has text in it.');
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
