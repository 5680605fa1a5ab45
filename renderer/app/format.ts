/** Numbers as people read them. Sizes are decimal (1 GB = 10⁹ bytes), as disks and hubs count. */
import { language } from './language.ts';

const locale = language;
const whole = new Intl.NumberFormat(locale);
const oneDecimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const threeDigits = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });

/** As they stand behind a number. */
const units = {
  en: { bytes: 'bytes', second: 's', minute: 'min', hour: 'h' },
  de: { bytes: 'Bytes', second: 's', minute: 'min', hour: 'h' },
  ja: { bytes: 'バイト', second: '秒', minute: '分', hour: '時間' },
}[language];
const byteUnits = [units.bytes, 'KB', 'MB', 'GB', 'TB'];

export function formatCount(value: number): string {
  return whole.format(value);
}

/** Milliseconds, three digits of them. */
export function formatMs(ms: number): string {
  return threeDigits.format(ms);
}

/** A part of a whole, in percent. */
export function formatShare(share: number): string {
  return percent.format(share);
}

export function formatCompact(value: number): string {
  return compact.format(value);
}

export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const number = unit === 0 || value >= 99.95 ? whole.format(Math.round(value)) : oneDecimal.format(value);
  return `${number} ${byteUnits[unit]}`;
}

export function formatRate(perSecond: number): string {
  return perSecond >= 99.95 ? whole.format(Math.round(perSecond)) : oneDecimal.format(perSecond);
}

/** A length of time: “8 s”, “4 min 10 s”, “2 h 5 min”. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${oneDecimal.format(Math.max(0, seconds))} ${units.second}`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} ${units.second}`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 === 0 ? `${minutes} ${units.minute}` : `${minutes} ${units.minute} ${total % 60} ${units.second}`;
  return `${Math.floor(minutes / 60)} ${units.hour} ${minutes % 60} ${units.minute}`;
}

/** A guess at a wait, no finer than it can be known: “about 40 s”. */
export function formatWait(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} ${units.second}`;
  if (seconds < 60) return `${Math.round(seconds / 5) * 5} ${units.second}`;
  if (seconds < 600) return formatDuration(Math.round(seconds / 10) * 10);
  return formatDuration(Math.round(seconds / 60) * 60);
}

const dateAndTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });

export function formatDateAndTime(timestampMs: number): string {
  return dateAndTime.format(timestampMs);
}

const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const ageUnits = [['year', 365 * 86_400], ['month', 30 * 86_400], ['week', 7 * 86_400], ['day', 86_400], ['hour', 3600], ['minute', 60]] as const;

/** How long ago, in the largest unit that fits: “3 days ago”, “yesterday”, “now”. */
export function formatAge(timestampMs: number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - timestampMs) / 1000);
  const [unit, length] = ageUnits.find(([, unitSeconds]) => seconds >= unitSeconds) ?? ['second', Infinity];
  return relative.format(-Math.floor(seconds / length), unit);
}

export function fractionOf(done: number, total: number): number | null {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
}
