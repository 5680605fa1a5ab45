/** What a window's answer gives: its items, each at the sentence that says it, and each once over all windows. */
import type { SweepItem } from '../contract/sweep.ts';
import { splitReasoning } from '../contract/reasoning.ts';
import { alignment, contentWords } from '../inspector/alignment.ts';
import { sentencesOf, type Span } from '../inspector/sentences.ts';

/** A sentence says an item when it has this share of its words. */
const saidShare = 0.6;
/** An item of which the window does not even have this share of words is made up. */
const heardShare = 0.5;
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
  return lines.filter((line, index) => !lines.slice(0, index).some((before) => before.startsWith(line)));
}

/**
 * Items with where they are said; those that the window's text does not bear out are left out, and so is what says a sentence
 * with words of another one, where a better item says that sentence: small models go on with what they have said already.
 */
export function itemsOf(answer: string, { text, window, question }: { text: string; window: Span; question: string }): SweepItem[] {
  const piece = text.slice(window.start, window.end);
  const sentences = sentencesOf(piece);
  const heard = linesOf(answer)
    .filter((line) => alignment(line, piece, question) >= heardShare)
    .map((line) => {
      const scored = sentences.map((span) => ({ span, score: alignment(line, piece.slice(span.start, span.end), question) }));
      const best = scored.reduce<{ span: Span; score: number } | null>((most, one) => (one.score > (most?.score ?? 0) ? one : most), null);
      return { line, said: best !== null && best.score >= saidShare ? best : null };
    });
  return heard
    .filter(({ said }) => said === null || heard.every((other) => other.said?.span !== said.span || other.said.score <= said.score))
    .map(({ line, said }) => {
      const place = said ? { start: window.start + said.span.start, end: window.start + said.span.end } : window;
      return { text: line, passages: [{ start: place.start, end: place.end, verified: said !== null }] };
    });
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
