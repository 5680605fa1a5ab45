/**
 * Granite 3 and 4 with experts: Granite with experts in place of its feed-forward, a softmax over the chosen ones as
 * shares, and in some sizes a shared expert that is simply added. Source: transformers `GraniteMoeSharedModel`.
 */
import { describeDecoder } from './decoder.ts';
import { readExperts } from './experts.ts';
import type { Family } from './family.ts';
import { graniteScales } from './granite.ts';

export const granitemoe: Family = {
  architectures: ['granitemoe'],
  describe: (file) =>
    describeDecoder(file, 'granitemoe', {
      pairing: 'adjacent',
      ...graniteScales(file, 'granitemoe'),
      feedForward: (layer) => readExperts(file, 'granitemoe', layer, { normalised: true }),
    }),
};
