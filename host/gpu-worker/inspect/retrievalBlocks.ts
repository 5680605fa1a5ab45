/** What a policy chose, by blocks of the documents. */
import type { RetrievalReplay } from '../../../engine/inspect/retrievalReplay.ts';
import type { Retrieval, RetrievalDocument } from '../../contract/inspection.ts';
import type { InspectedDocument } from './inspectedAnswer.ts';

/** Blocks of a document, at most. */
const mostBlocks = 512;

export function blockTokensOf({ starts }: Pick<InspectedDocument, 'starts'>): number {
  return Math.max(1, Math.ceil(starts.length / mostBlocks));
}

/** `replay`: null where everything is on the GPU. */
export function retrievalOf(replay: RetrievalReplay | null, documents: readonly Pick<InspectedDocument, 'id' | 'firstToken' | 'starts'>[]): Retrieval {
  if (!replay) return { policy: 'full', sealedTokens: 0, sampledSteps: 0, steps: [], documents: [] };
  const { policy, sealed, sampledSteps, steps } = replay;
  return { policy, sealedTokens: sealed, sampledSteps, steps, documents: documents.map((document) => blocksOf(replay, document)) };
}

function blocksOf({ sealed, returned, best, missed, onGpu, inRam }: RetrievalReplay, { id, firstToken, starts }: Pick<InspectedDocument, 'id' | 'firstToken' | 'starts'>): RetrievalDocument {
  const blockTokens = blockTokensOf({ starts });
  /** A mean or a sum over each block of what `of` says of a position. */
  const gathered = (of: (position: number) => number, mean = true): string => {
    const sums = new Float32Array(Math.ceil(starts.length / blockTokens));
    for (const token of starts.keys()) sums[Math.floor(token / blockTokens)] += of(firstToken + token);
    if (mean) for (const [block, sum] of sums.entries()) sums[block] = sum / Math.min(blockTokens, starts.length - block * blockTokens);
    return Buffer.from(sums.buffer).toString('base64');
  };
  const far = (position: number): boolean => position < sealed;
  const gpu = (position: number): number => (far(position) ? onGpu[position] : 1);
  const ram = (position: number): number => (far(position) ? inRam[position] : 0);
  return {
    documentId: id,
    far: gathered((position) => Number(far(position))),
    returned: gathered((position) => (far(position) ? returned[position] : 0)),
    best: gathered((position) => (far(position) ? best[position] : 0)),
    missed: gathered((position) => (far(position) ? missed[position] : 0), false),
    onGpu: gathered(gpu),
    inRam: gathered(ram),
    onDisk: gathered((position) => Math.max(0, 1 - gpu(position) - ram(position))),
  };
}
