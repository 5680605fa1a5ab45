/** What a few heads attend to while an answer is written: less than the evidence that is computed afterwards, and at once. */
import * as z from 'zod';
import { evidenceDocument, inspectedHead, layerGroup, zones } from './inspection.ts';

const count = z.number().int().nonnegative();

export const liveView = z.object({
  /** The row that writes the answer's first token is the prompt's last. */
  promptTokens: count,
  /** Heads whose weight on the documents is shown: those that fetch from them, as far as that is known of the model. */
  heads: z.array(inspectedHead).min(1),
  /** Groups of layers in which heads are watched, with how many. */
  groups: z.array(layerGroup.extend({ heads: z.number().int().positive() })),
  documents: z.array(evidenceDocument.omit({ blocks: true })),
});
export type LiveView = z.infer<typeof liveView>;

/** Tokens [first, first + zones.length) of the answer; what is told of a token again takes the place of what was. */
export const liveRows = z.object({
  first: count,
  /** By token and group: a mean over the group's watched heads. */
  zones: z.array(z.array(zones)),
  /** By document: [tokens][blocks] u16, base64; 65 535 is all of the weight of the heads. */
  blocks: z.array(z.string()),
});
export type LiveRows = z.infer<typeof liveRows>;

/** All that was told so far, or, after the answer, of the whole of it. */
export const liveAttention = z.object({ view: liveView, rows: liveRows });
export type LiveAttention = z.infer<typeof liveAttention>;
