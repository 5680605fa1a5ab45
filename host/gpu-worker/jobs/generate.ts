/** Reads a prompt and answers it, streaming whole characters and stopping where it should. */
import { randomInt } from 'node:crypto';
import { generateTokens } from '../../../engine/generate.ts';
import { EngineError } from '../../../engine/errors.ts';
import { FarTrace } from '../../../engine/kv/tiers/farTrace.ts';
import { StopMatcher } from '../../../engine/sampling/stopMatcher.ts';
import { greedySettings, type SamplingSettings } from '../../../engine/sampling/settings.ts';
import type { AnswerStatistics, PartlyRead, Sampling } from '../../contract/entities.ts';
import { defaultPolicySetting, type PolicySetting } from '../../contract/policy.ts';
import { toFailure } from '../../errors.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import { LiveAttention, type LiveTurn } from '../inspect/liveAttention.ts';
import { policyOutcome, policyReport } from '../policyReport.ts';
import type { GenerateResult, Keeping, Prompt } from '../protocol.ts';
import { type PromptToRead, readPrompt } from '../readPrompt.ts';
import { composeChat } from '../readSoFar.ts';
import { TokenLogprobs } from './tokenLogprobs.ts';

interface GenerateRequest {
  prompt: Prompt;
  sampling: Sampling;
  stop: string[];
  policy?: PolicySetting;
  keeping?: Keeping;
  logprobs?: number;
  trace?: { measureEverySteps: number };
  attention?: true;
}

/** `cacheFolder`: where what is known of a model's heads lies. */
export async function generate(model: ActiveModel, request: GenerateRequest, context: JobContext, cacheFolder: string): Promise<GenerateResult> {
  const { runner: { far }, contextTokens } = model.loaded;
  if (far) {
    far.policy = request.policy ?? defaultPolicySetting;
    far.report.reset();
  }
  const prompt = await prepare(model, request, context);
  const { tokens } = prompt;
  if (tokens.length >= contextTokens) throw tooLong(tokens.length, contextTokens);

  const live = request.attention && prompt.chat ? await openLive(model, { ...prompt.chat, maxTokens: request.sampling.maxTokens }, context, cacheFolder) : null;
  try {
    return await answerPrompt(model, request, prompt, context, live);
  } finally {
    live?.close();
  }
}

async function answerPrompt(model: ActiveModel, request: GenerateRequest, prompt: PreparedPrompt, context: JobContext, live: LiveAttention | null): Promise<GenerateResult> {
  const { runner, sequence } = model.loaded;
  const { far } = runner;
  const { tokens } = prompt;
  const readingStarted = performance.now();
  const { reusedTokens, keptTokens, notKept, sparselyRead, keepTurn } = await readPrompt(model, prompt, { keeping: request.keeping, mustKeep: false, context });
  const answeringStarted = performance.now();
  model.sampler.begin(samplingSettings(request.sampling), tokens);
  const trace = far && request.trace ? new FarTrace(far, model.readback, request.trace.measureEverySteps) : null;
  const tell = (): void => {
    const layers = trace?.take() ?? [];
    if (layers.length > 0) context.send({ kind: 'trace', jobId: context.jobId, layers });
  };
  let answer: Awaited<ReturnType<typeof stream>>;
  let ended: number;
  try {
    answer = await stream(model, request, context, { onToken: tell, onStep: (position) => live?.stepped(position) });
    ended = performance.now();
    await live?.finish(answer.tokens);
    // What the last steps missed is counted when it is known.
    await far?.settleLagged();
    tell();
  } finally {
    trace?.close();
  }
  keepTurn();
  context.progress('answering', answer.tokens, answer.tokens);
  const statistics: AnswerStatistics = {
    modelName: model.description.name,
    promptTokens: tokens.length,
    reusedTokens,
    keptTokens,
    notKept,
    partlyRead: prompt.partlyRead,
    sparselyRead,
    policy: policyOutcome(model, sequence.length),
    answerTokens: answer.tokens,
    readingMs: answeringStarted - readingStarted,
    answeringMs: ended - answeringStarted,
    stopReason: answer.stopReason,
  };
  return { text: answer.text, statistics, policy: policyReport(model, sequence.length) };
}

async function stream(
  model: ActiveModel,
  { sampling, stop, logprobs: wantedLogprobs }: GenerateRequest,
  { device, signal, send, progress, jobId }: JobContext,
  { onToken, onStep }: { onToken: () => void; onStep: (position: number) => void },
): Promise<{ text: string; tokens: number; stopReason: AnswerStatistics['stopReason'] }> {
  const { runner, sequence } = model.loaded;
  const decoder = model.tokenizer.createStreamDecoder();
  const matcher = new StopMatcher(stop);
  const logprobs = wantedLogprobs === undefined ? null : new TokenLogprobs(model, wantedLogprobs);
  let text = '';
  let tokens = 0;
  const show = (id: number, piece: string): void => {
    if (piece.length === 0) return;
    text += piece;
    send({ kind: 'token', jobId, id, text: piece, ...(logprobs ? { logprobs: logprobs.take(piece) } : {}) });
  };
  const generated = generateTokens(device, runner, sequence, model.sampler, {
    maxTokens: sampling.maxTokens,
    endTokens: model.tokenizer.endTokens,
    signal,
    oneByOne: logprobs !== null,
    onStep,
  });
  for (let step = await generated.next(); ; step = await generated.next()) {
    if (step.done) {
      const rest = matcher.push(decoder.flush());
      show(0, rest.text + matcher.flush());
      return { text, tokens, stopReason: step.value };
    }
    tokens++;
    onToken();
    const made = decoder.push(step.value);
    await logprobs?.add(step.value, made);
    const matched = matcher.push(made);
    show(step.value, matched.text);
    if (matched.stopped) {
      await generated.return('end');
      return { text, tokens, stopReason: 'stop-string' };
    }
    progress('answering', tokens, sampling.maxTokens + 1);
  }
}

/** Whatever keeps it from being recorded is no reason not to answer. */
async function openLive(model: ActiveModel, turn: LiveTurn, context: JobContext, cacheFolder: string): Promise<LiveAttention | null> {
  try {
    return await LiveAttention.open(model, turn, context, cacheFolder);
  } catch (error) {
    if (toFailure(error).code === 'device-lost') throw error;
    process.stderr.write(`attention is not recorded: ${String(error)}\n`);
    return null;
  }
}

interface PreparedPrompt extends PromptToRead {
  partlyRead: PartlyRead[];
  /** null without a chat template. */
  chat: Pick<LiveTurn, 'prompt' | 'composed'> | null;
}

async function prepare(model: ActiveModel, { prompt, keeping }: GenerateRequest, { memories }: JobContext): Promise<PreparedPrompt> {
  if (prompt.kind !== 'chat') return { tokens: plainTokens(model, prompt), documents: [], partlyRead: [], chat: null };
  const { composed, documents, partlyRead } = await composeChat(model, prompt, keeping, memories);
  return { tokens: composed.tokens, documents, partlyRead, chat: { prompt, composed } };
}

/** A prompt without a chat template. */
export function plainTokens(model: ActiveModel, prompt: Exclude<Prompt, { kind: 'chat' }>): number[] {
  if (prompt.kind === 'tokens') return prompt.tokens;
  const { bos, addBos } = model.tokenizer;
  const tokens = model.tokenizer.encode(prompt.text);
  return addBos && bos !== undefined ? [bos, ...tokens] : tokens;
}

function samplingSettings({ temperature, topK, topP, minP, repetitionPenalty, seed }: Sampling): SamplingSettings {
  return { ...greedySettings, temperature, topK, topP, minP, repetitionPenalty, seed: seed ?? randomInt(2 ** 32) };
}

export function tooLong(tokens: number, contextTokens: number): EngineError {
  return new EngineError(
    'context-exceeded',
    `The prompt is ${tokens} tokens long, but the model's window is ${contextTokens}, and the answer needs room too.`,
    'Attach a shorter document, or choose a model with a longer context.',
  );
}
