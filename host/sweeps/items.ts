/** What a window's answer gives: its items, each at the sentence that says it, and each once over all windows. */
import type { SweepItem } from '../contract/sweep.ts';
import { splitReasoning } from '../contract/reasoning.ts';
import { alignment, contentWords, surroundingsOf } from '../inspector/alignment.ts';
import { sentencesOf, type Span } from '../inspector/sentences.ts';

/** A sentence says an item when it has this share of its words. */
const saidShare = 0.6;
/** An item of which the window does not even have this share of words is made up. */
const heardShare = 0.5;
/** One that shares this many words with another is a variation of it. */
const sharedShare = 0.5;
const nothing = /^(?:none|no(?:thing)?|n\/a|there (?:is|are) (?:none|no|nothing)|the text (?:has|does|contains) (?:none|no|nothing|not)|not mentioned)\b/iu;
const bullet = /^\s*(?:[-*•–]|\d{1,3}[.)]|[a-z][.)])\s+/iu;
const longestCharacters = 400;

/** The lines of an answer that are items, in their order. */
export function linesOf(answer: string): string[] {
  const lines = splitReasoning(answer)
    .answer.split('\n')
    .map((line) => line.replace(bullet, '').replaceAll('**', '').trim())
    .filter((line) => line !== '' && !line.endsWith(':') && !nothing.test(line) && contentWords(line).length > 0)
    .map((line) => line.slice(0, longestCharacters));
  // Small models say the last line again and again, until they are cut off in it.
  const isCutOff = (line: string, index: number): boolean => index === lines.length - 1 && lines.slice(0, -1).some((before) => before.startsWith(line));
  return lines.filter((line, index) => lines.indexOf(line) === index && !isCutOff(line, index));
}

/** A line of an answer, the sentence that has most of its words, and their share of its words. */
interface Heard {
  line: string;
  best: { span: Span; score: number } | null;
  /** It has a name that the passage around that sentence has not, but another one. */
  mixed: boolean;
  /** Few words of it are not from that sentence, and none of the sentence's is missing. */
  whole: boolean;
}

/**
 * Items with where they are said; those that the window's text does not bear out are left out. Small models go on with what
 * they have said already, and change a part of it: of items that a sentence says in part only the best is kept, and the
 * first of equal ones, what mixes passages goes where it has half of its words from another item, and what no sentence
 * says goes where it has all of them from one. What has a whole sentence in it says that, whatever it is mixed with: only
 * another item about the same sentence makes it go.
 */
export function itemsOf(answer: string, { text, window, question }: { text: string; window: Span; question: string }): SweepItem[] {
  const piece = text.slice(window.start, window.end);
  const sentences = sentencesOf(piece);
  const heard = linesOf(answer)
    .filter((line) => alignment(line, piece, question) >= heardShare)
    .map((line) => hear(line, piece, sentences, question));
  const said = heard.filter((one) => isSaid(one) && heard.every((other) => other === one || !saysBetter(other, one, heard)));
  const kept = new Set(said);
  const unsaid = heard.filter((one) => !isSaid(one));
  for (const one of [...unsaid.filter(({ whole }) => whole), ...unsaid.filter(({ whole }) => !whole)]) {
    const most = one.mixed ? sharedShare : 1;
    const rivals = [...kept].filter(({ best }) => !one.whole || best?.span === one.best?.span);
    if (rivals.every(({ line }) => alignment(one.line, line, question) < most)) kept.add(one);
  }
  return heard
    .filter((one) => kept.has(one))
    .map((one) => {
      const verified = isSaid(one);
      const place = verified ? { start: window.start + one.best.span.start, end: window.start + one.best.span.end } : window;
      return { text: one.line, passages: [{ start: place.start, end: place.end, verified }] };
    });
}

function hear(line: string, piece: string, sentences: readonly Span[], question: string): Heard {
  const scored = sentences.map((span) => ({ span, score: alignment(line, piece.slice(span.start, span.end), question) }));
  const best = scored.reduce<Heard['best']>((most, one) => (one.score > (most?.score ?? 0) ? one : most), null);
  if (best === null) return { line, best, mixed: false, whole: false };
  const whole = best.score >= saidShare && alignment(piece.slice(best.span.start, best.span.end), line, question) === 1;
  const around = surroundingsOf(piece, best.span);
  const mixed = best.score < 1 && namesOf(line).some((name) => alignment(name, around, '') < 1 && alignment(name, piece, '') === 1);
  return { line, best, mixed, whole };
}

function isSaid(one: Heard): one is Heard & { best: NonNullable<Heard['best']> } {
  return one.best !== null && one.best.score >= saidShare && !one.mixed;
}

/** Whether `other` leaves `one` nothing to say: of the same sentence it says more, or as much and first. */
function saysBetter(other: Heard, one: Heard, order: readonly Heard[]): boolean {
  if (!isSaid(one) || !isSaid(other) || other.best.span !== one.best.span) return false;
  const first = order.indexOf(other) < order.indexOf(one);
  // A sentence may list several things: each is said word for word, and none says another.
  if (one.best.score === 1) return other.best.score === 1 && alignment(one.line, other.line, '') === 1 && (first || alignment(other.line, one.line, '') < 1);
  return other.best.score > one.best.score || (other.best.score === one.best.score && first);
}

/** Words that begin with a capital where no sentence begins, and numbers. */
function namesOf(line: string): string[] {
  return [...line.matchAll(/(?<=\S\s+["'“‘(]?)\p{Lu}[\p{L}\p{M}'’-]*|\p{N}[\p{N}.,]*/gu)].map(([name]) => name).filter((name) => contentWords(name).length > 0);
}

/** The items of one more window; what was there already only gets another place. */
export function joined(known: readonly SweepItem[], more: readonly SweepItem[]): SweepItem[] {
  const byWords = new Map(known.map((item) => [keyOf(item), item]));
  for (const item of more) {
    const key = keyOf(item);
    const before = byWords.get(key);
    if (!before) byWords.set(key, item);
    else {
      const others = item.passages.filter(({ start }) => before.passages.every((place) => place.start !== start));
      byWords.set(key, { ...before, passages: [...before.passages, ...others] });
    }
  }
  return [...byWords.values()];
}

function keyOf({ text }: SweepItem): string {
  return [...new Set(contentWords(text))].sort().join(' ');
}

/** What a window is asked. */
export function windowQuestion(question: string, kind: 'list' | 'summary'): string {
  return kind === 'summary'
    ? `${question}\nThis is one part of it. Say what happens in this part in two or three sentences.`
    : `${question}\nAnswer from the text above only. Write each item on its own line, in the words of the text. If there is none, write: none`;
}
