/** The place in a text where a query was found, with what stands around it. */
import type { Snippet } from '../contract/chatEntities.ts';
import { folded } from './words.ts';

const before = 60;
const length = 200;
const letter = /[\p{L}\p{N}]/u;

/** `shown`: what to mark, folded. Where nothing of it stands in the text as written, the text's beginning. */
export function snippetOf(text: string, shown: readonly string[]): Snippet {
  const plain = folded(text);
  const first = Math.min(...shown.map((term) => find(plain, term, 0)));
  const from = Number.isFinite(first) ? wordStart(text, Math.max(0, first - before)) : 0;
  const to = Math.min(text.length, from + length);
  const pieces: Snippet = [];
  const add = (piece: string, found: boolean) => piece !== '' && pieces.push({ text: piece.replaceAll(/\s+/g, ' '), found });
  let at = from;
  while (at < to) {
    const next = nearest(plain, shown, at);
    if (!next || next.start >= to) break;
    add(text.slice(at, next.start), false);
    add(text.slice(next.start, next.end), true);
    at = next.end;
  }
  add(text.slice(at, Math.max(at, to)), false);
  if (from > 0) pieces.unshift({ text: '…', found: false });
  if (to < text.length) pieces.push({ text: '…', found: false });
  return pieces;
}

function nearest(plain: string, shown: readonly string[], from: number): { start: number; end: number } | null {
  let best: { start: number; end: number } | null = null;
  for (const term of shown) {
    const start = find(plain, term, from);
    if (Number.isFinite(start) && (!best || start < best.start)) best = { start, end: start + term.length };
  }
  return best;
}

/** At the beginning of a word; Infinity where it does not occur. */
function find(plain: string, term: string, from: number): number {
  for (let at = plain.indexOf(term, from); at >= 0; at = plain.indexOf(term, at + 1)) {
    if (at === 0 || !letter.test(plain[at - 1] ?? '') || !/^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}]/u.test(term)) return at;
  }
  return Infinity;
}

function wordStart(text: string, near: number): number {
  if (near === 0) return 0;
  const space = text.indexOf(' ', near);
  return space >= 0 && space < near + 30 ? space + 1 : near;
}
