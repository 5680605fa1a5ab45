/** What each claim of an answer rests on: the passages that the retrieval heads looked at, and what they are worth. */
import { answerLogprobs } from '../../../engine/inspect/ablation.ts';
import type { InspectedHead, Inspection, InspectionParts } from '../../../engine/inspect/inspection.ts';
import { recentTokens } from '../../../engine/inspect/rangeKernels.ts';
import { sinkTokens } from '../../../engine/retrieval/layout.ts';
import { splitReasoning } from '../../contract/reasoning.ts';
import type { Citation, Passage } from '../../contract/inspection.ts';
import { alignment, speaksOf, surroundingsOf } from '../../inspector/alignment.ts';
import { gradeOf } from '../../inspector/grades.ts';
import { sentencesOf, type Span, spanAt } from '../../inspector/sentences.ts';
import { endOfText, type InspectedAnswer, type InspectedDocument } from './inspectedAnswer.ts';

/** Claims of an answer that are looked at. */
const mostClaims = 40;
/** Claims whose passage is taken out to see what happens: each costs the question and the answer once more. */
const mostTrials = 16;

interface Claim extends Span {
  /** Tokens of the answer. */
  firstRow: number;
  endRow: number;
}

/** A passage with its tokens' positions. */
interface Candidate extends Passage {
  tokens: { start: number; end: number };
}

/** Sentences of what a person reads, without the reasoning before it. */
export function claimsOf(answer: string, starts: readonly number[]): Claim[] {
  const shown = splitReasoning(answer).answer;
  const offset = answer.length - shown.length;
  const rows = starts.length - 1;
  return sentencesOf(shown)
    .map(({ start, end }) => ({ start: start + offset, end: end + offset }))
    .map((span) => {
      const first = starts.findIndex((_, row) => (starts[row + 1] ?? Infinity) > span.start);
      const end = starts.findIndex((start) => start >= span.end);
      return { ...span, firstRow: first, endRow: Math.min(rows, end < 0 ? rows : end) };
    })
    .filter(({ firstRow, endRow }) => firstRow >= 0 && firstRow < endRow)
    .slice(0, mostClaims);
}

/** The passage of each claim that most attention falls on. `inspection` must still be valid; it is not afterwards. */
export async function citeClaims(
  parts: InspectionParts,
  inspection: Inspection,
  { asked, question, answer, heads, signal }: { asked: InspectedAnswer; question: string; answer: string; heads: readonly InspectedHead[]; signal: AbortSignal },
): Promise<Citation[]> {
  const claims = claimsOf(answer, asked.answerStarts);
  const sentences = new Map(asked.documents.map((document) => [document.id, sentencesOf(document.text)]));
  const found: { claim: Claim; candidate: Candidate | null; aligned: number }[] = [];
  for (const claim of claims) {
    const candidates = await candidatesOf(inspection, asked, sentences, claim, heads, signal);
    const text = answer.slice(claim.start, claim.end);
    const scored = candidates.map((candidate) => ({ candidate, aligned: alignment(text, textOf(asked, candidate), question) }));
    // Words decide among what was looked at much; without them, attention does.
    const best = scored.filter(({ candidate }) => candidate.share >= 0.5 * (candidates[0]?.share ?? 0)).sort((a, b) => b.aligned - a.aligned || b.candidate.share - a.candidate.share)[0];
    found.push({ claim, candidate: best?.candidate ?? null, aligned: best?.aligned ?? 0 });
  }
  const drops = await tryWithout(parts, asked, found, signal);
  let number = 0;
  return found.map(({ claim: { start, end }, candidate, aligned }, index) => {
    const drop = drops[index];
    const relevant = candidate !== null && speaksOf(question, surroundingsOf(documentOf(asked, candidate), candidate));
    const grade = candidate ? gradeOf({ alignment: aligned, share: candidate.share, drop, relevant }) : 'none';
    const passage = candidate && { documentId: candidate.documentId, start: candidate.start, end: candidate.end, share: candidate.share };
    return { number: grade === 'none' ? null : ++number, claim: { start, end }, grade, passage, alignment: aligned, drop };
  });
}

/** Sentences of the documents by the share of attention that falls on them, best first. */
async function candidatesOf(
  inspection: Inspection,
  { documents, promptTokens }: InspectedAnswer,
  sentences: ReadonlyMap<string, readonly Span[]>,
  claim: Claim,
  heads: readonly InspectedHead[],
  signal: AbortSignal,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  let total = 0;
  for (const document of documents) {
    const spans = sentences.get(document.id) ?? [];
    const sums = await massOf(inspection, document, claim, heads, signal);
    const bySentence = new Map<number, { share: number; start: number; end: number }>();
    for (const [token, mass] of sums.entries()) {
      const position = document.firstToken + token;
      if (position < sinkTokens || position > promptTokens - recentTokens) continue;
      total += mass;
      const sentence = spanAt(spans, document.starts[token]);
      const known = bySentence.get(sentence) ?? { share: 0, start: position, end: position + 1 };
      bySentence.set(sentence, { share: known.share + mass, start: known.start, end: position + 1 });
    }
    for (const [sentence, { share, start, end }] of bySentence) candidates.push({ documentId: document.id, ...spans[sentence], share, tokens: { start, end } });
  }
  return candidates
    .sort((a, b) => b.share - a.share)
    .slice(0, 3)
    .map((candidate) => ({ ...candidate, share: total > 0 ? candidate.share / total : 0 }));
}

/** Attention of some rows together to each token of a document, a sum over rows and heads. */
export async function massOf(inspection: Inspection, { firstToken, starts }: InspectedDocument, { firstRow, endRow }: Pick<Claim, 'firstRow' | 'endRow'>, heads: readonly InspectedHead[], signal: AbortSignal): Promise<Float32Array> {
  const sums = new Float32Array(starts.length);
  const mostAtOnce = 65_535;
  for (let first = 0; first < starts.length; first += mostAtOnce) {
    const end = Math.min(starts.length, first + mostAtOnce);
    const tile = await inspection.tile(heads, { firstRow, endRow, rowsPerBucket: endRow - firstRow, fromKey: firstToken + first, toKey: firstToken + end, keysPerBucket: 1 }, signal);
    sums.set(tile.sums, first);
  }
  return sums;
}

/** For each claim the nats that it loses without its passage; null where that cannot be tried. */
async function tryWithout(parts: InspectionParts, asked: InspectedAnswer, found: readonly { claim: Claim; candidate: Candidate | null }[], signal: AbortSignal): Promise<(number | null)[]> {
  const drops: (number | null)[] = found.map(() => null);
  if (parts.runner.far || asked.documentsEnd === 0 || found.every(({ candidate }) => !candidate)) return drops;
  const inputs = { tokens: asked.tokens, rescoreFrom: asked.documentsEnd, answerFrom: asked.promptTokens, signal };
  const before = await answerLogprobs(parts, { ...inputs, passage: null });
  const without = new Map<number, number[]>();
  for (const [index, { claim, candidate }] of found.slice(0, mostTrials).entries()) {
    if (!candidate) continue;
    const known = without.get(candidate.tokens.start) ?? (await answerLogprobs(parts, { ...inputs, passage: candidate.tokens }));
    without.set(candidate.tokens.start, known);
    let drop = 0;
    for (let row = claim.firstRow; row < claim.endRow; row++) drop += before[row] - known[row];
    drops[index] = drop;
  }
  return drops;
}

function documentOf({ documents }: InspectedAnswer, { documentId }: Passage): string {
  return documents.find(({ id }) => id === documentId)?.text ?? '';
}

function textOf(asked: InspectedAnswer, passage: Passage): string {
  return documentOf(asked, passage).slice(passage.start, passage.end);
}

/** Positions of the tokens that hold characters [start, end) of a document; null where there are none. */
export function tokensBetween(document: InspectedDocument, start: number, end: number): { start: number; end: number } | null {
  const { starts, firstToken } = document;
  let first = -1;
  let behind = -1;
  for (let token = 0; token < starts.length; token++) {
    if (endOfText(document, token + 1) <= start || starts[token] >= end) continue;
    if (first < 0) first = token;
    behind = token + 1;
  }
  return first < 0 ? null : { start: firstToken + first, end: firstToken + behind };
}
