const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const months = 'January February March April May June July August September October November December'.split(' ');

const fields: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => twoDigits(date.getUTCFullYear() % 100),
  m: (date) => twoDigits(date.getUTCMonth() + 1),
  d: (date) => twoDigits(date.getUTCDate()),
  B: (date) => months[date.getUTCMonth()],
  b: (date) => months[date.getUTCMonth()].slice(0, 3),
  A: (date) => weekdays[date.getUTCDay()],
  a: (date) => weekdays[date.getUTCDay()].slice(0, 3),
  H: (date) => twoDigits(date.getUTCHours()),
  I: (date) => twoDigits(date.getUTCHours() % 12 || 12),
  M: (date) => twoDigits(date.getUTCMinutes()),
  S: (date) => twoDigits(date.getUTCSeconds()),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  '%': () => '%',
};

/** Python's `strftime` in English and UTC, with the fields that chat templates use. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(.)/gsu, (whole, field: string) => fields[field]?.(date) ?? whole);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
