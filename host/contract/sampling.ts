/** How the next token is chosen. */
import * as z from 'zod';

export const sampling = z.object({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(5),
  topK: z.number().int().min(0).max(1000),
  topP: z.number().min(0).max(1),
  minP: z.number().min(0).max(1),
  repetitionPenalty: z.number().min(0.5).max(2),
  seed: z.number().int().min(0).max(0xffff_ffff).nullable(),
  maxTokens: z.number().int().min(1).max(32_768),
});
export type Sampling = z.infer<typeof sampling>;
export const defaultSampling: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxTokens: 512,
};
