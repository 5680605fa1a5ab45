/** pdf.js in a process without a screen: text only, nothing fetched, nothing drawn, nothing run. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PDFDocumentProxy } from 'pdfjs-dist';
import { HostError } from '../../../errors.ts';
import { quoted } from '../../../wording.ts';
import { damaged } from '../refusals.ts';

export async function openPdf(path: string, name: string, pdfData: string): Promise<PDFDocumentProxy> {
  const { getDocument } = await loadPdfJs();
  const data = new Uint8Array(await readFile(path));
  try {
    return await getDocument({
      data,
      verbosity: 0,
      isEvalSupported: false,
      useSystemFonts: false,
      disableFontFace: true,
      useWorkerFetch: false,
      useWasm: false,
      cMapUrl: `${join(pdfData, 'cmaps')}/`,
      cMapPacked: true,
      standardFontDataUrl: `${join(pdfData, 'standard_fonts')}/`,
    }).promise;
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      throw new HostError('document-encrypted', `${quoted(name)} is protected with a password.`, 'Open it in its own program, save it without a password, and add that file.', { cause: error });
    }
    throw damaged(name, error instanceof Error ? error.message : String(error));
  }
}

/** Where there is no page to draw on, pdf.js looks for classes that text does not need, and warns when they are missing. */
async function loadPdfJs() {
  const missing = function () {};
  Object.assign(globalThis, { DOMMatrix: globalThis.DOMMatrix ?? missing, ImageData: globalThis.ImageData ?? missing, Path2D: globalThis.Path2D ?? missing });
  // Its worker runs in this process: this is one of its own already.
  Object.assign(globalThis, { pdfjsWorker: await import('pdfjs-dist/legacy/build/pdf.worker.mjs') });
  return import('pdfjs-dist/legacy/build/pdf.mjs');
}
