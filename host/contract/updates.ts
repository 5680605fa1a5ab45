/** What is known of newer versions of Longleaf. */
import * as z from 'zod';
import { count } from './primitives.ts';

const nothing = z.object({}).strict();

export const updateState = z.discriminatedUnion('kind', [
  /** Whoever made this copy named no feed: it never asks. */
  z.object({ kind: z.literal('off') }),
  z.object({ kind: z.literal('current'), version: z.string() }),
  z.object({ kind: z.literal('available'), version: z.string(), notes: z.string(), sizeBytes: count }),
]);
export type UpdateState = z.infer<typeof updateState>;

export const updateMethods = {
  /** Whether there is a feed; asks nobody. */
  'updates.configured': { params: nothing, result: z.object({ configured: z.boolean() }) },
  'updates.check': { params: nothing, result: updateState },
  /** `path`: of the installer, which is whole and checked; nothing is installed by itself. */
  'updates.fetch': { params: nothing, result: z.object({ version: z.string(), path: z.string() }) },
} as const;
export type UpdateMethod = keyof typeof updateMethods;
