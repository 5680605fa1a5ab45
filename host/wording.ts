/** How numbers and names read in the sentences people see. */

/** 8192 → "8,192". */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** Decimal units, as shops and file managers count: 98362432 → "98.4 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** 0.25 → "25 %". */
export function formatShare(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

/** A file name inside a sentence. */
export function quoted(name: string): string {
  return `“${name}”`;
}
