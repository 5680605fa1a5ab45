import type { PartKind, TierKind } from '../meterParts.ts';

/** The colour of each part, the same in the bar and in the table. */
export const partColours: Record<PartKind, string> = {
  system: 'bg-part-system',
  document: 'bg-part-document',
  'document-alternate': 'bg-part-document-alternate',
  history: 'bg-part-history',
  question: 'bg-part-question',
  reserve: 'hatched',
  free: 'bg-transparent',
};

/** One hue, paler the less a step sees of them; what is dropped stands out. */
export const tierColours: Record<TierKind, string> = {
  resident: 'bg-tier-resident',
  chosen: 'bg-tier-chosen',
  estimated: 'bg-tier-estimated',
  dropped: 'bg-danger',
};
