/** PDF: its own pages, blocks found from the lines, a box for every run of characters. */
import type { PDFDocumentProxy } from 'pdfjs-dist';
import { HostError } from '../../../errors.ts';
import { formatCount, quoted } from '../../../wording.ts';
import type { DocumentWriter } from '../documentWriter.ts';
import { plural } from '../refusals.ts';
import type { DocumentParser } from '../source.ts';
import { openPdf } from './openPdf.ts';
import { type PageLines, pageLines } from './pageLines.ts';
import { type PdfBlock, documentType, joinLines, pageBlocks } from './paragraphs.ts';
import { removeRunningHeads } from './runningHeads.ts';

const mostPages = 20_000;

export const parsePdf: DocumentParser = async ({ path, name, pdfData, onProgress }, writer) => {
  const pdf = await openPdf(path, name, pdfData);
  if (pdf.numPages > mostPages) {
    throw new HostError('document-too-large', `${quoted(name)} has ${formatCount(pdf.numPages)} pages; Longleaf reads up to ${formatCount(mostPages)}.`, 'Split it into smaller files.');
  }
  const notices: string[] = [];
  const pages: PageLines[] = [];
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    pages.push(await pageLines(page));
    page.cleanup();
    onProgress(number, pdf.numPages);
  }
  const withoutText = pages.flatMap(({ lines }, index) => (lines.length === 0 ? [index + 1] : []));
  if (withoutText.length === pages.length) {
    throw new HostError('document-no-text', `${quoted(name)} holds no text: its ${plural(pages.length, 'page is a picture', 'pages are pictures')}.`, 'Run it through a text recognition program (OCR) and add the result.');
  }
  if (withoutText.length > 0) notices.push(`No text on ${withoutText.length === 1 ? 'page' : 'pages'} ${listed(withoutText)}: what is there is a picture, or nothing.`);
  const heads = removeRunningHeads(pages);
  if (heads > 0) notices.push(`${plural(heads, 'running head, foot or page number was', 'running heads, feet and page numbers were')} left out of the text.`);
  notices.push(...(await extras(pdf)));
  await writePages(pages, (await pdf.getPageLabels()) ?? [], writer);
  await pdf.destroy();
  return { format: 'pdf', unit: 'page', notices };
};

async function writePages(pages: readonly PageLines[], labels: readonly string[], writer: DocumentWriter): Promise<void> {
  const type = documentType(pages);
  let last: PdfBlock | undefined;
  for (const [index, page] of pages.entries()) {
    await writer.openPage(labels[index] || String(index + 1), { width: page.width, height: page.height });
    for (const block of pageBlocks(page, type)) {
      const { kind, level, text, boxes } = block;
      const goesOn = last?.open && kind === 'paragraph' && /^[\p{Ll}\p{N}]/u.test(text);
      const separator = goesOn && last ? joinLines(last.text, text, type).glue : undefined;
      await writer.add(kind, text, { level, boxes, separator });
      last = block;
    }
  }
}

async function extras(pdf: PDFDocumentProxy): Promise<string[]> {
  const notices: string[] = [];
  if (await pdf.hasJSActions()) notices.push('Scripts in it were not run.');
  const attached = Object.keys((await pdf.getAttachments()) ?? {});
  if (attached.length > 0) notices.push(`${plural(attached.length, 'file attached to it was', 'files attached to it were')} left out: ${attached.slice(0, 5).join(', ')}.`);
  return notices;
}

/** 3, 4, 5, 9 → “3–5, 9”. */
function listed(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const shown = ranges.slice(0, 12).map(([first, end]) => (first === end ? String(first) : `${first}–${end}`));
  return shown.join(', ') + (ranges.length > 12 ? ' and more' : '');
}
