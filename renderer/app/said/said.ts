/**
 * What the host says, in the language of the window. The host writes each sentence in English at the place that knows what
 * happened; here it is found again by its form, what stands in its gaps is taken out, and the same is said in German or
 * Japanese. So nothing but the sentence has to travel: failures that were kept with a chat years ago, what was left out of
 * a document, and why a model fits are said as well as what fails now. What is not known stays as it was written.
 */
import type { Language } from '../../../host/contract/languages.ts';
import { language } from '../language.ts';
import { catalogue } from './catalogue.ts';

interface Form {
  pattern: RegExp;
  /** Which gap of the template each group of the pattern is. */
  gaps: readonly number[];
  template: string;
}

const place = { de: 0, ja: 1 } as const;
const quotes = { de: '„$1“', ja: '「$1」' } as const;
const units: Record<keyof typeof place, Record<string, string>> = {
  de: { bytes: 'Bytes', kB: 'KB' },
  ja: { bytes: 'バイト', kB: 'KB', s: '秒' },
};

/** Those with the most words of their own are tried first; made when something is first said. */
let forms: Form[] | undefined;
const known = new Map<string, string>();
/** No sentence is so long but by what a file or a model's template has put into it, to keep the window busy with its gaps. */
const longest = 1000;

export function said(text: string, asked: Language = language): string {
  if (asked === 'en' || text === '' || text.length > longest) return text;
  const key = `${asked} ${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const words = find(text, asked) ?? text;
  if (known.size > 500) known.clear();
  known.set(key, words);
  return words;
}

function find(text: string, asked: keyof typeof place): string | undefined {
  const whole = catalogue[text];
  if (whole) return whole[place[asked]];
  forms ??= formsOf(Object.keys(catalogue));
  for (const { pattern, gaps, template } of forms) {
    const match = pattern.exec(text);
    if (!match) continue;
    const values = new Map(gaps.map((gap, index) => [gap, valueIn(match[index + 1] ?? '', asked)]));
    const words = catalogue[template]?.[place[asked]] ?? text;
    const filled = words.replace(/\{(\d)\}/g, (_, gap: string) => values.get(Number(gap)) ?? '');
    return asked === 'ja' ? filled.replace(/ ?(「[^」]*」) ?/g, '$1') : filled;
  }
  return undefined;
}

/** A gap holds a number, a size, a name in quotation marks, another sentence, or something that is the same everywhere. */
function valueIn(text: string, asked: keyof typeof place): string {
  const number = /^(\d+|\d{1,3}(?:,\d{3})+)(\.\d+)?( (?:bytes|kB|MB|GB|TB|s))?$/.exec(text);
  if (number && (number[1]?.includes(',') || number[3])) {
    const [, whole = '', fraction = '', unit = ''] = number;
    const digits = Math.max(0, fraction.length - 1);
    const written = Number(whole.replaceAll(',', '') + fraction).toLocaleString(asked, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return unit === '' ? written : `${written} ${units[asked][unit.trim()] ?? unit.trim()}`;
  }
  return said(text, asked).replace(/^“([^“”]*)”$/, quotes[asked]);
}

function formsOf(templates: readonly string[]): Form[] {
  return templates
    .filter((template) => template.includes('{0}'))
    .sort((a, b) => wordsOf(b) - wordsOf(a))
    .map((template) => ({
      template,
      gaps: [...template.matchAll(/\{(\d)\}/g)].map(([, gap]) => Number(gap)),
      pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\d\}/g, '(.*?)')}$`, 's'),
    }));
}

function wordsOf(template: string): number {
  return template.replace(/\{\d\}/g, '').length;
}
