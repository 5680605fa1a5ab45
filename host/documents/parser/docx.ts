/** Word documents, by way of the HTML that mammoth makes of them. */
import { readFile } from 'node:fs/promises';
import mammoth from 'mammoth';
import { damaged } from './refusals.ts';
import { htmlBlocks } from './htmlBlocks.ts';
import { openOfficePackage } from './officePackage.ts';
import { writeParts } from './parts.ts';
import type { DocumentParser } from './source.ts';

const noPictures = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));

export const parseDocx: DocumentParser = async ({ path, name }, writer) => {
  const buffer = await readFile(path);
  const { archive, notices } = await openOfficePackage(path, name, buffer);
  try {
    if (!archive.has('word/document.xml')) throw damaged(name, 'it is not a Word document');
    // mammoth unpacks by itself, with no limits of its own.
    await archive.check();
  } finally {
    archive.close();
  }
  const { value } = await mammoth.convertToHtml({ buffer }, { convertImage: noPictures, externalFileAccess: false }).catch((error: unknown) => {
    throw damaged(name, error instanceof Error ? error.message : String(error));
  });
  await writeParts(writer, htmlBlocks(value).blocks);
  return { format: 'docx', unit: 'part', notices };
};
