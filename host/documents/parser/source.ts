/** What a parser is given, and what it says when it is done. */
import type { DocumentFormat, PageUnit } from '../../contract/documentModel.ts';
import type { DocumentWriter } from './documentWriter.ts';

export interface ParserSource {
  /** The one file, or folder, that this process may read. */
  path: string;
  name: string;
  /** Folder with pdf.js's character maps, which this process may read, too. */
  pdfData: string;
  /** Told after every page or chapter: silence is taken for a hang. */
  onProgress(done: number, total: number): void;
}

export interface ParserOutcome {
  format: DocumentFormat;
  unit: PageUnit;
  notices: string[];
}

export type DocumentParser = (source: ParserSource, writer: DocumentWriter) => Promise<ParserOutcome>;
