/** Attention along documents: sums over tokens of the answer, exact for whole blocks. */
import type { AnswerEvidence, EvidenceDocument } from '../../../host/contract/inspection.ts';
import { floatsOf } from './decode.ts';

const decoded = new WeakMap<EvidenceDocument, Float32Array>();

/** [answer tokens][blocks]. */
export function blocksOf(document: EvidenceDocument): Float32Array {
  let blocks = decoded.get(document);
  if (!blocks) decoded.set(document, (blocks = floatsOf(document.blocks)));
  return blocks;
}

/** Mean weight of each block over the given rows (all: null). The first tokens of a prompt, which get what is spare, are left out. */
export function profileOf(document: EvidenceDocument, rows: number, row: number | null): Float64Array {
  const blocks = blocksOf(document);
  const columns = document.blockStarts.length - 1;
  const sums = new Float64Array(columns);
  const [first, end] = row === null ? [0, rows] : [row, row + 1];
  for (let r = first; r < end; r++) for (let block = 0; block < columns; block++) sums[block] += blocks[r * columns + block];
  for (let block = 0; block < columns; block++) sums[block] = document.firstToken + block * document.blockTokens < 16 ? 0 : sums[block] / (end - first);
  return sums;
}

export interface RankedPassage {
  documentId: string;
  name: string;
  start: number;
  end: number;
  /** Of the retrieval heads' weight on the documents. */
  share: number;
}

/** The blocks with most attention, neighbours joined, best first. */
export function topPassages({ documents, tokens }: AnswerEvidence, row: number | null, count = 12): RankedPassage[] {
  const found: RankedPassage[] = [];
  let total = 0;
  for (const document of documents) {
    const profile = profileOf(document, tokens.length, row);
    const sum = profile.reduce((a, b) => a + b, 0);
    total += sum;
    const level = (2 * sum) / Math.max(1, profile.length);
    for (let block = 0; block < profile.length; block++) {
      if (profile[block] <= level) continue;
      let end = block;
      let share = 0;
      while (end < profile.length && profile[end] > level) share += profile[end++];
      found.push({ documentId: document.documentId, name: document.name, start: document.blockStarts[block], end: document.blockStarts[end], share });
      block = end;
    }
  }
  return found
    .map((passage) => ({ ...passage, share: total > 0 ? passage.share / total : 0 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

/** Blocks that got more than their even share, and how many there are. */
export function touchedBlocks({ documents, tokens }: AnswerEvidence): { touched: number; all: number } {
  let touched = 0;
  let all = 0;
  for (const document of documents) {
    const profile = profileOf(document, tokens.length, null);
    const mean = profile.reduce((a, b) => a + b, 0) / Math.max(1, profile.length);
    all += profile.length;
    touched += profile.filter((share) => share > mean).length;
  }
  return { touched, all };
}

/** The place of a position of the prompt in a document's text; null outside of all. */
export function placeOf({ documents }: AnswerEvidence, position: number): { document: EvidenceDocument; block: number } | null {
  const document = documents.find(({ firstToken, tokens }) => position >= firstToken && position < firstToken + tokens);
  return document ? { document, block: Math.floor((position - document.firstToken) / document.blockTokens) } : null;
}
