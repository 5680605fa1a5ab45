/** `longleaf tokens` and `longleaf logits`: what the tokenizer and the model compute, for other programs. */
import type { KvSetting, PolicySetting } from '../contract/policy.ts';
import * as z from 'zod';
import { logitsCase, logitsResult } from '../gpu-worker/protocol.ts';
import { readPromptFile } from './ask.ts';
import { type CommandContext, usageError } from './context.ts';
import { chooseModel, withEngine } from './engine.ts';

const tokensResult = z.union([z.array(z.number().int()), z.object({ tokens: z.array(z.number().int()) }).transform(({ tokens }) => tokens)]);
/** A golden file can be given as it is: its positions carry the expected values too. */
const askedPosition = z.union([z.number(), z.object({ position: z.number() }).transform(({ position }) => position)]);
const casesFile = z.object({ cases: z.array(logitsCase.extend({ positions: z.array(askedPosition.pipe(z.number().int().nonnegative())) })).min(1) });

export async function tokens(context: CommandContext, path: string, model: string | undefined): Promise<void> {
  const { output, signal } = context;
  const content = await readPromptFile(path);
  const chosen = await chooseModel(context, model, null);
  await withEngine(({ session, supervisor }) =>
    session.use(chosen.target, { signal }, async () => {
      const ids = await supervisor.run({ kind: 'tokens', text: content }, tokensResult, { signal });
      output.event({ event: 'done', tokens: ids });
      output.text(`${ids.join(' ')}\n`);
    }),
  );
}

export async function logits(
  context: CommandContext,
  casesPath: string,
  options: { model: string | undefined; contextTokens: number | null; chunkTokens: number | null; policy: PolicySetting | undefined; kv: KvSetting },
): Promise<void> {
  const { output, signal } = context;
  const { cases } = readCases(casesPath, await readPromptFile(casesPath));
  const chosen = await chooseModel(context, options.model, options.contextTokens);
  await withEngine(({ session, supervisor }) =>
    session.use({ ...chosen.target, kv: options.kv }, { signal }, async () => {
      for (const oneCase of cases) {
        const result = await supervisor.run({ kind: 'logits', case: oneCase, chunkTokens: options.chunkTokens, policy: options.policy }, logitsResult, {
          signal,
          onProgress: ({ done, total }) => output.progress({ label: oneCase.name, done, total, unit: 'tokens' }),
        });
        if (output.json) output.event(result);
        else output.text(`${JSON.stringify(result)}\n`);
      }
    }),
  );
  output.event({ event: 'done', cases: cases.length });
}

function readCases(path: string, content: string): z.infer<typeof casesFile> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    throw usageError(`${path} is not JSON.`, 'It holds {"cases":[{"name":…,"tokens":[…],"positions":[…]}]}.');
  }
  const cases = casesFile.safeParse(parsed);
  if (cases.success) return cases.data;
  const issue = cases.error.issues[0];
  throw usageError(
    `${path} is not a list of cases (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    'It holds {"cases":[{"name":…,"tokens":[…],"positions":[…]}]}.',
  );
}
