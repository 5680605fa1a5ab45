/** The passages of all documents with most attention, by units of their texts; sums are exact. */
import { useEffect, useState } from 'react';
import type { AnswerEvidence } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { floatsOf, wordsOf } from '../decode.ts';
import { type Granularity, weighedSpans } from '../granularity.ts';
import type { RankedPassage } from '../profile.ts';
import { documentRange } from './useDocumentRange.ts';

const count = 20;
/** The first tokens of a prompt get what is spare. */
const sinkTokens = 16;

async function finePassages(messageId: string, { documents, tokens }: AnswerEvidence, row: number | null, granularity: Granularity): Promise<RankedPassage[]> {
  const rows = row === null ? { from: 0, to: tokens.length } : { from: row, to: row + 1 };
  const found: RankedPassage[] = [];
  for (const { documentId, name, firstToken, blockStarts } of documents) {
    const told = await host.call('inspector.profile', { messageId, documentId, heads: 'retrieval', rows });
    const text = await documentRange(documentId, 0, blockStarts[blockStarts.length - 1]);
    const weights = floatsOf(told.weights).fill(0, 0, Math.max(0, sinkTokens - firstToken));
    const spans = weighedSpans(text, { starts: wordsOf(told.starts), weights }, granularity);
    for (const { start, end, weight } of spans) found.push({ documentId, name, start, end, share: weight });
  }
  const total = found.reduce((sum, { share }) => sum + share, 0);
  return found
    .map((passage) => ({ ...passage, share: total > 0 ? passage.share / total : 0 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

export interface FinePassages {
  /** null while they are computed, when that failed, and for blocks, which are known already. */
  passages: RankedPassage[] | null;
  coming: boolean;
}

export function useFinePassages(messageId: string, evidence: AnswerEvidence, row: number | null, granularity: Granularity | 'block'): FinePassages {
  const [found, setFound] = useState<{ key: string; passages: RankedPassage[] | null } | null>(null);
  const key = `${messageId} ${row} ${granularity}`;
  useEffect(() => {
    if (granularity === 'block') return undefined;
    let wanted = true;
    finePassages(messageId, evidence, row, granularity).then(
      (passages) => wanted && setFound({ key, passages }),
      (error: unknown) => {
        if (!wanted) return;
        setFound({ key, passages: null });
        reportFailure(error);
      },
    );
    return () => {
      wanted = false;
    };
  }, [messageId, evidence, row, granularity, key]);
  const isThere = found?.key === key;
  return granularity === 'block' ? { passages: null, coming: false } : { passages: isThere ? found.passages : null, coming: !isThere };
}
