/** Which format a file has: by its name, else by its first bytes. */
import { basename, extname } from 'node:path';
import type { DocumentFormat } from '../../contract/documentModel.ts';
import { HostError } from '../../errors.ts';
import { quoted } from '../../wording.ts';

const byExtension: Record<string, DocumentFormat> = {
  '.pdf': 'pdf',
  '.epub': 'epub',
  '.docx': 'docx',
  '.docm': 'docx',
  '.xlsx': 'xlsx',
  '.xlsm': 'xlsx',
  '.pptx': 'pptx',
  '.pptm': 'pptx',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'text',
};

const codeExtensions = new Set(
  ('.ts .tsx .js .jsx .mjs .cjs .py .rs .go .java .kt .c .h .cc .cpp .hpp .cs .rb .php .swift .scala .sh .bash .ps1 .sql .r .jl .lua .pl .hs .ml .ex .exs .erl .clj .dart .zig .nim .wgsl .glsl .css .scss ' +
    '.json .yaml .yml .toml .ini .xml .vue .svelte .tex .cmake .gradle .proto').split(' '),
);

/** Formats that Longleaf does not read, and what to do instead. */
const otherFormats: Record<string, [what: string, remedy: string]> = {
  '.doc': ['an old Word file', 'Save it as .docx and add that file.'],
  '.xls': ['an old Excel file', 'Save it as .xlsx and add that file.'],
  '.ppt': ['an old PowerPoint file', 'Save it as .pptx and add that file.'],
  '.odt': ['an OpenDocument text', 'Save it as .docx or PDF and add that file.'],
  '.ods': ['an OpenDocument spreadsheet', 'Save it as .xlsx and add that file.'],
  '.odp': ['an OpenDocument presentation', 'Save it as .pptx and add that file.'],
  '.rtf': ['an RTF file', 'Save it as .docx and add that file.'],
  '.mobi': ['a Mobipocket book', 'Convert it to EPUB and add that file.'],
  '.azw3': ['a Kindle book', 'Convert it to EPUB and add that file.'],
  '.djvu': ['a DjVu file', 'Convert it to PDF and add that file.'],
};

export function formatOfName(name: string): DocumentFormat | undefined {
  const extension = extname(name).toLowerCase();
  return byExtension[extension] ?? (codeExtensions.has(extension) ? 'code' : undefined);
}

/**
 * A name may say nothing; the first bytes then do.
 * @throws `document-format` for files that are known and not read.
 */
export function formatOf(name: string, firstBytes: Buffer): DocumentFormat {
  const other = otherFormats[extname(name).toLowerCase()];
  if (other) throw new HostError('document-format', `${quoted(basename(name))} is ${other[0]}, which Longleaf does not read.`, other[1]);
  const start = firstBytes.toString('latin1');
  const named = formatOfName(name);
  if (named) return named;
  if (start.includes('%PDF-')) return 'pdf';
  if (start.startsWith('PK\x03\x04')) {
    if (start.includes('mimetypeapplication/epub+zip')) return 'epub';
    if (start.includes('word/')) return 'docx';
    if (start.includes('xl/')) return 'xlsx';
    if (start.includes('ppt/')) return 'pptx';
  }
  return /^\s*(<!doctype html|<html)/i.test(start) ? 'html' : 'text';
}
