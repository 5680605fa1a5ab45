/** A forced stream: the logits at the asked positions, in the shape of the golden files. */
import type * as z from 'zod';
import { evaluateLogits, meanNll } from '../../../engine/evaluateLogits.ts';
import { EngineError } from '../../../engine/errors.ts';
import type { PolicySetting } from '../../contract/policy.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { LogitsResult, logitsCase } from '../protocol.ts';

interface LogitsRequest {
  case: z.infer<typeof logitsCase>;
  chunkTokens: number | null;
  /** What follows the first asked position is decoded by it, token by token; without one everything is read exactly. */
  policy?: PolicySetting;
}

export async function logits(model: ActiveModel, request: LogitsRequest, context: JobContext): Promise<LogitsResult> {
  const { name, tokens, positions } = request.case;
  const { vocabularySize } = model.loaded.spec;
  const foreign = tokens.find((token) => token >= vocabularySize);
  if (foreign !== undefined) {
    throw new EngineError('internal', `The case "${name}" has the token ${foreign}, but the model's vocabulary ends at ${vocabularySize - 1}.`, 'Make the tokens with this model: longleaf tokens.');
  }
  const { far } = model.loaded.runner;
  if (far && request.policy) far.policy = request.policy;
  const results = await evaluateLogits(context.device, model.loaded.runner, model.loaded.sequence, model.readback, {
    tokens,
    positions: positions.length > 0 ? positions : tokens.map((_, position) => position),
    chunkTokens: request.chunkTokens,
    asDecoding: request.policy !== undefined,
    signal: context.signal,
    onProgress: (done, total) => context.progress('reading', done, total),
  });
  return { name, positions: results, meanNll: meanNll(results) };
}
