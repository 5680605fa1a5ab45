/** One completion, in line with the answers of the interface: load the model, see that the prompt fits, generate. */
import type { ModelRecord } from '../contract/entities.ts';
import { readingSpeed } from '../conversations/answerJob.ts';
import { refusalFor } from '../conversations/chatPrompt.ts';
import { cancelled } from '../errors.ts';
import { type AnsweredToken, type GenerateResult, type Prompt, generateResult, promptMeasure } from '../gpu-worker/protocol.ts';
import { modelTarget } from '../models/modelTarget.ts';
import type { ApiParts } from './apiParts.ts';
import { ApiError } from './apiError.ts';
import type { CommonRequest } from './requests.ts';

export interface CompletionHooks {
  signal: AbortSignal;
  /** The prompt fits and will be answered. */
  onAccepted(): void;
  onReading(done: number, total: number): void;
  onText(text: string, logprobs: AnsweredToken[]): void;
}

export interface CompletionToRun {
  model: ModelRecord;
  prompt: Prompt;
  request: CommonRequest;
  /** Tokens told beside each of the answer's; undefined: no log probabilities. */
  logprobs: number | undefined;
}

/** The most that one answer may be. */
const mostTokens = 32_768;

/** @throws when the prompt, with the tokens that were asked for, is longer than the window: nothing is ever cut. */
export async function runCompletion(parts: ApiParts, toRun: CompletionToRun, hooks: CompletionHooks): Promise<GenerateResult> {
  let result: GenerateResult | undefined;
  await parts.line.answer(hooks.signal, async () => {
    if (hooks.signal.aborted) throw cancelled();
    result = await generate(parts, toRun, hooks);
  });
  parts.events.emit('memories.changed', {});
  if (!result) throw cancelled();
  return result;
}

async function generate({ models, settings, session, supervisor, memories }: ApiParts, { model, prompt, request, logprobs }: CompletionToRun, hooks: CompletionHooks): Promise<GenerateResult> {
  const { signal } = hooks;
  const policy = request.policy ?? undefined;
  // What is read of documents is kept; what is said here is not.
  const keeping = prompt.kind === 'chat' ? await memories.keeping(model.name, null) : undefined;
  return session.use(modelTarget(models, model, settings.read().kv, policy ?? null), { signal }, async ({ vocabularySize }) => {
    refuseUnknownTokens(prompt, vocabularySize);
    const measure = await supervisor.run({ kind: 'measure', prompt, keeping }, promptMeasure, { signal });
    const sampling = samplingOf(request, measure.windowTokens - measure.totalTokens);
    const refusal = refusalFor(measure, sampling, model.name);
    if (refusal) throw refusal;
    hooks.onAccepted();
    const result = await supervisor.run({ kind: 'generate', prompt, sampling, stop: stopsOf(request), policy, keeping, logprobs }, generateResult, {
      signal,
      onProgress: ({ phase, done, total }) => {
        if (phase === 'reading') hooks.onReading(done, total);
      },
      onToken: ({ text, logprobs: tokens = [] }) => hooks.onText(text, tokens),
    });
    const speed = readingSpeed(result.statistics);
    if (speed !== null) models.rememberReadingSpeed(model.id, speed);
    return result;
  });
}

/** As OpenAI's: temperature 1 and all tokens unless said otherwise, and as long an answer as fits. */
function samplingOf(request: CommonRequest, roomTokens: number) {
  return {
    temperature: request.temperature ?? 1,
    topK: request.top_k ?? 0,
    topP: request.top_p ?? 1,
    minP: request.min_p ?? 0,
    repetitionPenalty: request.repetition_penalty ?? 1,
    seed: request.seed ?? null,
    maxTokens: request.max_tokens ?? Math.min(mostTokens, Math.max(1, roomTokens)),
  };
}

function stopsOf({ stop }: CommonRequest): string[] {
  if (stop === undefined || stop === null) return [];
  return typeof stop === 'string' ? [stop] : stop;
}

function refuseUnknownTokens(prompt: Prompt, vocabularySize: number): void {
  const unknown = prompt.kind === 'tokens' ? prompt.tokens.find((token) => token >= vocabularySize) : undefined;
  if (unknown === undefined) return;
  throw new ApiError(400, 'invalid_request', `There is no token ${unknown}: this model has ${vocabularySize}.`, 'prompt');
}
