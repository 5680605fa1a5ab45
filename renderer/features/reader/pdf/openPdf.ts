/** pdf.js over the contract: the host sends the bytes that a page needs, nothing is fetched from anywhere else. */
import type { PDFDocumentLoadingTask, PDFDocumentProxy } from 'pdfjs-dist';
// oxlint-disable-next-line import/default -- Vite gives the address of the file
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';
import { longestFileRangeBytes } from '../../../../host/contract/documents.ts';
import { host } from '../../../app/connection/session.ts';
import { startOwnWorker } from '../../../app/ownWorker.ts';

export type PdfLibrary = typeof import('pdfjs-dist');

export interface OpenPdf {
  library: PdfLibrary;
  pdf: PDFDocumentProxy;
}

const firstBytes = 65_536;

/** Resolves to the document and how to let go of it. */
export async function openPdf(documentId: string): Promise<OpenPdf & { close(): void }> {
  const library = (await import('pdfjs-dist/legacy/build/pdf.mjs')) as unknown as PdfLibrary;
  const first = await host.call('documents.fileRange', { documentId, start: 0, end: firstBytes });
  const transport = new library.PDFDataRangeTransport(first.totalBytes, decoded(first.base64));
  const task: PDFDocumentLoadingTask = library.getDocument({
    range: transport,
    worker: library.PDFWorker.create({ port: startOwnWorker(workerUrl) }),
    disableAutoFetch: true,
    disableStream: true,
    isEvalSupported: false,
    enableXfa: false,
    useWorkerFetch: false,
    cMapUrl: new URL('pdf/cmaps/', document.baseURI).href,
    cMapPacked: true,
    standardFontDataUrl: new URL('pdf/standard_fonts/', document.baseURI).href,
    wasmUrl: new URL('pdf/wasm/', document.baseURI).href,
    verbosity: 0,
  });
  transport.requestDataRange = (start: number, end: number) => {
    fileRange(documentId, start, end).then(
      (bytes) => transport.onDataRange(start, bytes),
      // Without these bytes the document cannot go on.
      () => void task.destroy(),
    );
  };
  return { library, pdf: await task.promise, close: () => void task.destroy() };
}

async function fileRange(documentId: string, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  for (let at = start; at < end; at += longestFileRangeBytes) {
    const { base64 } = await host.call('documents.fileRange', { documentId, start: at, end: Math.min(end, at + longestFileRangeBytes) });
    bytes.set(decoded(base64), at - start);
  }
  return bytes;
}

function decoded(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
