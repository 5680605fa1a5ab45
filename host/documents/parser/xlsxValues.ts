/** Values of Excel's cells as text. Dates are numbers of days whose format says that they are dates (ECMA-376, 18.8.30). */
import type { OfficePackage } from './officePackage.ts';
import { parseXml } from './xml.ts';

export interface SheetStyles {
  /** By the number of a cell's style: whether its numbers are days. */
  dates: boolean[];
  /** Days are counted from 1904, as on old Macintoshes. */
  from1904: boolean;
}

const stylesPath = 'xl/styles.xml';
const dayMs = 86_400_000;

export async function readStyles({ archive, name }: OfficePackage, from1904: boolean): Promise<SheetStyles> {
  const dates: boolean[] = [];
  if (!archive.has(stylesPath)) return { dates, from1904 };
  const customDates = new Set<number>();
  let inCellFormats = false;
  parseXml(await archive.text(stylesPath), name, stylesPath, {
    open: (element, attributes) => {
      if (element === 'numFmt' && isDateFormat(attributes['formatCode'] ?? '')) customDates.add(Number(attributes['numFmtId']));
      else if (element === 'cellXfs') inCellFormats = true;
      else if (element === 'xf' && inCellFormats) {
        const id = Number(attributes['numFmtId'] ?? 0);
        dates.push(customDates.has(id) || (id >= 14 && id <= 22) || (id >= 45 && id <= 47));
      }
    },
    close: (element) => {
      if (element === 'cellXfs') inCellFormats = false;
    },
  });
  return { dates, from1904 };
}

/** Whether a format shows years, days or hours, once what it shows literally is gone. */
function isDateFormat(code: string): boolean {
  return /[ydhs]/i.test(code.replaceAll(/"[^"]*"|\\.|\[[^\]]*\]|_.|\*./g, ''));
}

export function cellText(type: string, value: string, style: number, { dates, from1904 }: SheetStyles): string {
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type !== 'n' || value === '') return value;
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (dates[style]) return dateText(number, from1904);
  // What was 0.1 + 0.2 is shown as people typed it.
  return String(Number(number.toPrecision(15)));
}

function dateText(days: number, from1904: boolean): string {
  // Day 60 of the 1900 count is a 29 February that never was; 25569 is the first of January 1970.
  const sinceEpoch = from1904 ? days + 1462 - 25_569 : days - 25_569 + (days < 60 ? 1 : 0);
  const moment = new Date(Math.round((sinceEpoch * dayMs) / 1000) * 1000);
  if (Number.isNaN(moment.getTime())) return String(days);
  const [date = '', time = ''] = moment.toISOString().slice(0, 19).split('T');
  if (days >= 0 && days < 1) return time;
  return time === '00:00:00' ? date : `${date} ${time}`;
}
