/** Excel: each sheet's rows, cells separated by tabs, as their values were last computed; dates as dates. */
import { readFirstBytes } from './firstBytes.ts';
import { damaged } from './refusals.ts';
import { type OfficePackage, openOfficePackage, relationshipsOf } from './officePackage.ts';
import type { DocumentParser } from './source.ts';
import { cellText, readStyles, type SheetStyles } from './xlsxValues.ts';
import { parseXml } from './xml.ts';

const workbookPath = 'xl/workbook.xml';
const sharedPath = 'xl/sharedStrings.xml';
/** A block is a stretch of rows, so that a sheet can be cited and scrolled by stretches. */
const blockCharacters = 2000;
/** Cells far to the right leave that many tabs at most. */
const mostColumns = 1000;

export const parseXlsx: DocumentParser = async ({ path, name, onProgress }, writer) => {
  const office = await openOfficePackage(path, name, await readFirstBytes(path));
  try {
    if (!office.archive.has(workbookPath)) throw damaged(name, 'it is not an Excel workbook');
    const shared = await sharedStrings(office);
    const { sheets, from1904 } = await readWorkbook(office);
    const styles = await readStyles(office, from1904);
    for (const [index, { title, part }] of sheets.entries()) {
      await writer.openPage(title);
      const rows = await sheetRows(office, part, shared, styles);
      if (rows.length > 0) await writer.add('heading', title, { level: 2 });
      let lines: string[] = [];
      let characters = 0;
      let first = true;
      const emit = async () => {
        if (lines.length > 0) await writer.add('table', lines.join('\n'), first ? {} : { separator: '\n' });
        first = false;
        lines = [];
        characters = 0;
      };
      for (const row of rows) {
        lines.push(row);
        characters += row.length;
        if (characters >= blockCharacters) await emit();
      }
      await emit();
      onProgress(index + 1, sheets.length);
    }
    return { format: 'xlsx', unit: 'sheet', notices: office.notices };
  } finally {
    office.archive.close();
  }
};

async function readWorkbook(office: OfficePackage): Promise<{ sheets: { title: string; part: string }[]; from1904: boolean }> {
  const relationships = await relationshipsOf(office, workbookPath);
  const sheets: { title: string; part: string }[] = [];
  let from1904 = false;
  parseXml(await office.archive.text(workbookPath), office.name, workbookPath, {
    open: (element, attributes) => {
      if (element === 'workbookPr') from1904 = attributes['date1904'] === '1' || attributes['date1904'] === 'true';
      if (element !== 'sheet') return;
      const target = relationships.get(attributes['r:id'] ?? '');
      if (target?.type === 'worksheet') sheets.push({ title: attributes['name'] ?? String(sheets.length + 1), part: target.target });
    },
  });
  return { sheets, from1904 };
}

/** Texts that cells refer to by number. */
async function sharedStrings({ archive, name }: OfficePackage): Promise<string[]> {
  const strings: string[] = [];
  if (!archive.has(sharedPath)) return strings;
  let text = '';
  let inText = false;
  let phonetic = false;
  parseXml(await archive.text(sharedPath), name, sharedPath, {
    open: (element) => {
      if (element === 'si') text = '';
      else if (element === 'rPh') phonetic = true;
      else if (element === 't') inText = !phonetic;
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close: (element) => {
      if (element === 't') inText = false;
      else if (element === 'rPh') phonetic = false;
      else if (element === 'si') strings.push(text);
    },
  });
  return strings;
}

async function sheetRows({ archive, name }: OfficePackage, part: string, shared: readonly string[], styles: SheetStyles): Promise<string[]> {
  const rows: string[] = [];
  let cells: string[] = [];
  let cell = { column: 0, type: '', style: 0 };
  let value = '';
  let inValue = false;
  parseXml(await archive.text(part), name, part, {
    open: (element, attributes) => {
      if (element === 'row') cells = [];
      else if (element === 'c') {
        cell = { column: columnOf(attributes['r']) ?? cells.length, type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? 0) };
        value = '';
      } else if (element === 'v' || element === 't') inValue = true;
    },
    text: (piece) => {
      if (inValue) value += piece;
    },
    close: (element) => {
      if (element === 'v' || element === 't') inValue = false;
      else if (element === 'c') {
        const text = cell.type === 's' ? (shared[Number(value)] ?? '') : cellText(cell.type, value, cell.style, styles);
        if (text === '' || cell.column >= mostColumns) return;
        while (cells.length < cell.column) cells.push('');
        cells[cell.column] = text.replaceAll(/[\t\r\n]+/g, ' ').toWellFormed();
      } else if (element === 'row' && cells.length > 0) rows.push(cells.join('\t'));
    },
  });
  return rows;
}

/** “C7” → 2. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]+/.exec(reference ?? '')?.[0];
  if (letters === undefined) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}
