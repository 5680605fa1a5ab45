/** One answer: load the model, see that the prompt fits, generate. Knows nothing of storage. */
import type { AnswerStatistics, ContextTiers, Sampling } from '../contract/entities.ts';
import type { LiveRows, LiveView } from '../contract/liveAttention.ts';
import type { PolicySetting } from '../contract/policy.ts';
import { type ChatPrompt, type GenerateResult, type Keeping, type ModelDescription, type TracedLayer, generateResult, promptMeasure } from '../gpu-worker/protocol.ts';
import type { ModelSession, ModelTarget } from '../worker/modelSession.ts';
import type { WorkerSupervisor } from '../worker/supervisor.ts';
import { refusalFor } from './chatPrompt.ts';
import { contextTiers } from './contextTiers.ts';
import { type Progress, ProgressMeter } from './progressMeter.ts';

export interface AnswerRequest {
  model: ModelTarget;
  modelName: string;
  prompt: ChatPrompt;
  sampling: Sampling;
  /** How answering reaches what does not lie on the GPU; without one, the default. */
  policy?: PolicySetting;
  /** Where what is read is kept; without it nothing is. */
  keeping?: Keeping;
  /** Tells `onTrace` what every layer does with keys beyond the GPU. */
  trace?: { measureEverySteps: number };
  signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Once, before the prompt is read. */
  onTiers?(tiers: ContextTiers): void;
  onToken(token: { id: number; text: string }): void;
  onTrace?(layers: TracedLayer[]): void;
  /** What a few heads attend to meanwhile; left out, that is not recorded. */
  onAttention?(told: { view: LiveView | null; rows: LiveRows }): void;
}

export interface Answer extends GenerateResult {
  model: ModelDescription;
}

export async function answerQuestion(session: ModelSession, supervisor: WorkerSupervisor, request: AnswerRequest): Promise<Answer> {
  const { signal, sampling, prompt, policy, keeping, trace } = request;
  const meter = new ProgressMeter((progress) => request.onProgress(progress));
  const onLoading = (done: number, total: number) => meter.update('loading', done, total);
  return session.use(request.model, { signal, onLoading }, async (model) => {
    const measure = await supervisor.run({ kind: 'measure', prompt, keeping }, promptMeasure, { signal });
    const refusal = refusalFor(measure, sampling, request.modelName);
    if (refusal) throw refusal;
    request.onTiers?.(contextTiers(measure, policy ?? null));
    let answered = 0;
    const result = await supervisor.run({ kind: 'generate', prompt, sampling, stop: [], policy, keeping, trace, ...(request.onAttention ? { attention: true as const } : {}) }, generateResult, {
      signal,
      onAttention: request.onAttention,
      onTrace: request.onTrace,
      onProgress: ({ phase, done, total }) => {
        if (phase === 'reading' || phase === 'answering') meter.update(phase, done, total);
      },
      onToken: (token) => {
        answered += 1;
        meter.update('answering', answered, sampling.maxTokens);
        request.onToken(token);
      },
    });
    // The name that people chose it by, which is not always the one in its file.
    return { ...result, statistics: { ...result.statistics, modelName: request.modelName }, model };
  });
}

/** Tokens a second, when enough was read to tell. */
export function readingSpeed({ promptTokens, reusedTokens, readingMs }: Pick<AnswerStatistics, 'promptTokens' | 'reusedTokens' | 'readingMs'>): number | null {
  const readTokens = promptTokens - reusedTokens;
  return readTokens >= 64 && readingMs > 0 ? (readTokens * 1000) / readingMs : null;
}
