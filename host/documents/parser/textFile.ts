/** Text, Markdown, code and CSV: the text as it is, in two passes of bounded memory (recognise, then decode). */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { HostError } from '../../errors.ts';
import { quoted } from '../../wording.ts';
import { type Recognition, TextRecogniser } from '../recogniseText.ts';
import { FlowingText, type Flavour } from './flowingText.ts';
import type { DocumentParser } from './source.ts';

const chunkBytes = 256 * 1024;

export function textParser(format: Flavour): DocumentParser {
  return async ({ path, name, onProgress }, writer) => {
    const { size } = await stat(path);
    const recognition = await recognise(path);
    if (recognition.kind === 'binary') {
      throw new HostError('document-binary', `${quoted(name)} is not a text file: ${recognition.reason}.`, 'Choose a text, PDF, EPUB, Word, Excel, PowerPoint or HTML file, or a folder of code.');
    }
    const text = new FlowingText(writer, format, size, String);
    let doneBytes = 0;
    for await (const piece of decoded(path, recognition)) {
      await text.write(piece);
      doneBytes += piece.length;
      onProgress(Math.min(doneBytes, size), size);
    }
    await text.finish();
    return { format, unit: 'part', notices: recognition.notices };
  };
}

export async function recognise(path: string): Promise<Recognition> {
  const recogniser = new TextRecogniser();
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) recogniser.add(chunk as Buffer);
  return recogniser.finish();
}

export async function* decoded(path: string, { encoding }: Extract<Recognition, { kind: 'text' }>): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    const piece = decoder.decode(chunk as Buffer, { stream: true });
    if (piece !== '') yield piece;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/** The whole of a text file; for formats that are parsed at once. */
export async function readWhole(path: string, name: string): Promise<{ text: string; notices: string[] }> {
  const recognition = await recognise(path);
  if (recognition.kind === 'binary') throw new HostError('document-binary', `${quoted(name)} is not a text file: ${recognition.reason}.`, 'Choose another file.');
  const pieces: string[] = [];
  for await (const piece of decoded(path, recognition)) pieces.push(piece);
  return { text: pieces.join(''), notices: recognition.notices };
}
