/** A view as a file: which answer, which heads, which part of the map. */
import * as z from 'zod';
import { identifier } from '../../../host/contract/entities.ts';
import { headChoice } from '../../../host/contract/inspection.ts';
import type { InspectorState } from './store.ts';

const count = z.number().nonnegative();
const session = z.object({
  format: z.literal('longleaf-view-1'),
  messageId: identifier,
  tab: z.enum(['map', 'timeline', 'heads', 'passages', 'compare', 'triangle', 'guide']),
  heads: headChoice,
  reducer: z.enum(['sum', 'peak']),
  row: count.int().nullable(),
  window: z.object({ fromKey: count, toKey: count }).nullable(),
  overlay: z.boolean().default(false),
});
export type Session = Omit<z.infer<typeof session>, 'format'>;

export function sessionOf({ messageId, tab, heads, reducer, row, window, overlay }: InspectorState): z.input<typeof session> {
  return { format: 'longleaf-view-1', messageId: messageId ?? '', tab, heads, reducer, row, window, overlay };
}

/** null for anything else. */
export function readSession(content: string): Session | null {
  try {
    const { format: _, ...read } = session.parse(JSON.parse(content));
    return read;
  } catch {
    return null;
  }
}
