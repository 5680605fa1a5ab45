/** What every other schema is made of: ids, counts, times, failures. A field with a unit carries it in its name. */
import * as z from 'zod';

export const identifier = z.string().min(1).max(64).regex(/^[A-Za-z0-9_-]+$/);
export const count = z.number().int().nonnegative();
export const timestampMs = z.number().int().nonnegative();

/** A failure as the person sees it: what and why (`message`), what to do (`remedy`). */
export const failure = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});
export type Failure = z.infer<typeof failure>;

/** In UTF-16 units. More than this is a file, and goes the way of files. */
export const maximumPasteCharacters = 50_000_000;
export const maximumQuestionCharacters = 20_000_000;
