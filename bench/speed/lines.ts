/** The lines of results that the page of speeds shows. */
import * as z from 'zod';
import { profileResult } from '../../host/gpu-worker/protocol.ts';

const spread = z.object({ median: z.number(), best: z.number() });

const benchLine = z.object({
  event: z.literal('done'),
  model: z.string(),
  adapter: z.string(),
  rounds: z.array(z.object({ prefillTokens: z.number(), decodeTokens: z.number() })).min(1),
  prefillTokensPerSecond: spread,
  decodeTokensPerSecond: spread,
  peer: z.object({ backend: z.string(), prefillTokensPerSecond: spread, decodeTokensPerSecond: spread }).nullable(),
  profile: profileResult.nullable(),
});
export type BenchLine = z.infer<typeof benchLine>;

const sweepLine = z
  .object({
    bench: z.literal('kernelSweep'),
    kind: z.enum(['row', 'tile']),
    codes: z.string(),
    inputs: z.number(),
    outputs: z.number(),
    rows: z.number(),
    variant: z.string(),
    copyShare: z.number(),
    teraflops: z.number(),
    wrong: z.string().nullable(),
  })
  .transform((line) => ({ ...line, event: 'sweep' as const }));
export type SweepLine = z.infer<typeof sweepLine>;

/** null for lines of other programs and for what is no JSON. */
export function readLine(text: string): BenchLine | SweepLine | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  return benchLine.safeParse(line).data ?? sweepLine.safeParse(line).data ?? null;
}
