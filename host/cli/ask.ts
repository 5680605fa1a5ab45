/** `longleaf ask` and `longleaf complete`: an answer on the terminal as it is written. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import * as z from 'zod';
import type { AnswerStatistics, Sampling, SparselyRead } from '../contract/entities.ts';
import { defaultSettings } from '../contract/entities.ts';
import type { KvSetting, PolicySetting } from '../contract/policy.ts';
import { answerQuestion } from '../conversations/answerJob.ts';
import { ProgressMeter, type Progress } from '../conversations/progressMeter.ts';
import { parseForCommand } from './parseDocument.ts';
import { HostError, systemErrorCode } from '../errors.ts';
import { type ChatPrompt, type GenerateResult, generateResult } from '../gpu-worker/protocol.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { formatBytes, formatCount, formatShare, quoted } from '../wording.ts';
import type { CommandContext } from './context.ts';
import { type ChosenModel, chooseOrFetchModel, withEngine } from './engine.ts';
import type { Output } from './output.ts';
import { withTrace } from './traceFile.ts';

export interface AnswerOptions {
  model: string | undefined;
  contextTokens: number | null;
  sampling: Sampling;
  policy: PolicySetting | undefined;
  kv: KvSetting;
  /** A file for what every layer does with keys beyond the GPU. */
  trace: string | undefined;
}

export async function ask(context: CommandContext, documentPath: string, question: string, options: AnswerOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'longleaf-'));
  try {
    const { name, textPath } = await parseForCommand(context, documentPath, folder);
    const model = await chooseOrFetchModel(context, options.model, options.contextTokens);
    const prompt: ChatPrompt = {
      kind: 'chat',
      documents: [{ id: 'document', name, textPath }],
      system: defaultSettings.defaultSystemPrompt,
      history: [],
      question,
    };
    await answerChat(context, model, prompt, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function complete(context: CommandContext, prompt: string, raw: boolean, options: AnswerOptions): Promise<void> {
  const model = await chooseOrFetchModel(context, options.model, options.contextTokens);
  if (raw) return answerRaw(context, model, prompt, options);
  await answerChat(context, model, { kind: 'chat', documents: [], system: '', history: [], question: prompt }, options);
}

/** A file's content as it is: prompts are not documents, nothing of them is changed. */
export async function readPromptFile(path: string): Promise<string> {
  if (path === '-') return readAll(process.stdin);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new HostError('file-unreadable', `${quoted(path)} cannot be read (${systemErrorCode(error) ?? String(error)}).`, 'Check its name and where it is.', {
      cause: error,
    });
  }
}

async function answerChat({ output, signal, dataFolder }: CommandContext, model: ChosenModel, prompt: ChatPrompt, { sampling, policy, kv, trace }: AnswerOptions): Promise<void> {
  await withEngine(async ({ session, supervisor }) => {
    const answer = await withTrace(trace, (hooks) => answerQuestion(session, supervisor, {
      ...hooks,
      model: { ...model.target, kv },
      policy,
      modelName: model.name,
      prompt,
      sampling,
      // What “longleaf read” has kept is not read again.
      keeping: { folder: openDataFolder(dataFolder).memories, modelName: model.name, conversation: null, onlyUse: true },
      signal,
      onProgress: (progress) => showProgress(output, progress),
      onToken: (token) => showToken(output, token),
    }));
    showEnd(output, answer, answer.model.loadMs);
  });
}

async function answerRaw({ output, signal }: CommandContext, model: ChosenModel, text: string, { sampling, policy, kv, trace }: AnswerOptions): Promise<void> {
  const meter = new ProgressMeter((progress) => showProgress(output, progress));
  const onLoading = (done: number, total: number) => meter.update('loading', done, total);
  await withEngine(({ session, supervisor }) =>
    session.use({ ...model.target, kv }, { signal, onLoading }, async ({ loadMs }) => {
      const result = await withTrace(trace, (hooks) => supervisor.run({ kind: 'generate', prompt: { kind: 'raw', text }, sampling, stop: [], policy, trace: hooks.trace }, generateResult, {
        signal,
        onTrace: hooks.onTrace,
        onProgress: ({ phase, done, total }) => {
          if (phase === 'reading') meter.update(phase, done, total);
        },
        onToken: (token) => showToken(output, token),
      }));
      showEnd(output, result, loadMs);
    }),
  );
}

const labels = { queued: 'Waiting', loading: 'Loading the model', reading: 'Reading', answering: 'Answering' };

export function showProgress(output: Output, { phase, done, total, perSecond, secondsLeft }: Progress): void {
  output.event({ event: 'progress', phase, done, total });
  // The answer itself shows how far it is.
  if (phase === 'answering' || phase === 'queued') return;
  output.progress({ label: labels[phase], done, total, unit: phase === 'loading' ? 'bytes' : 'tokens', perSecond, secondsLeft });
}

function showToken(output: Output, { id, text }: { id: number; text: string }): void {
  output.event({ event: 'token', id, text });
  output.text(text);
}

function showEnd(output: Output, { text, statistics, policy }: GenerateResult, loadMs: number): void {
  output.text('\n');
  const timings = { loadMs, readingMs: statistics.readingMs, answeringMs: statistics.answeringMs, ...speeds(statistics) };
  const { promptTokens, reusedTokens, keptTokens, answerTokens, stopReason } = statistics;
  output.event({ event: 'done', text, stopReason, usage: { promptTokens, reusedTokens, keptTokens, answerTokens }, sparselyRead: statistics.sparselyRead, timings, policy });
  const reading = timings.readingTokensPerSecond;
  const answering = timings.answeringTokensPerSecond;
  noteFarKeys(output, policy);
  noteSparselyRead(output, statistics.sparselyRead);
  output.note(
    `${promptTokens - reusedTokens} tokens read${reading === null ? '' : ` at ${reading.toFixed(1)}/s`}, ` +
      `${keptTokens > 0 ? `${keptTokens} kept from an earlier reading, ` : ''}${answerTokens} answered${answering === null ? '' : ` at ${answering.toFixed(1)}/s`}` +
      `${stopReason === 'length' ? '; the answer reached --max-tokens' : ''}.`,
  );
}

/** Nothing is passed over without saying so. */
export function noteSparselyRead(output: Output, sparselyRead: SparselyRead | null): void {
  if (!sparselyRead) return;
  const { tokens, share, skippedShare } = sparselyRead;
  const skipped = skippedShare === null ? '' : `; ${formatShare(skippedShare)} of what came before them was passed over`;
  output.note(`The last ${formatCount(tokens)} tokens of the documents were read sparsely (${formatShare(share)})${skipped}.`);
}

const farPolicy = z.object({
  name: z.string(),
  keys: z.object({ full: z.object({ exact: z.number(), estimated: z.number(), missed: z.number(), total: z.number() }) }),
  hitRatio: z.number().nullable(),
  tiers: z.object({ gpuBytes: z.number(), ramBytes: z.number(), diskBytes: z.number() }),
  dropped: z.number(),
});

/** What became of keys beyond the GPU, where there were any. */
function noteFarKeys(output: Output, policy: GenerateResult['policy']): void {
  const far = farPolicy.safeParse(policy);
  if (!far.success) return;
  const { name, keys, tiers, dropped, hitRatio } = far.data;
  const { exact, estimated, missed, total } = keys.full;
  output.note(
    `Policy ${name}: of ${total} keys ${exact} were attended exactly a step, ${estimated} estimated, ${missed > 0 ? `${missed} missed, ` : ''}${dropped} dropped; ` +
      `${formatBytes(tiers.gpuBytes)} on the GPU, ${formatBytes(tiers.ramBytes)} in RAM, ${formatBytes(tiers.diskBytes)} on disk` +
      `${hitRatio === null ? '' : `; ${Math.round(100 * hitRatio)} % of the chosen keys were on the GPU already`}.`,
  );
}

function speeds({ promptTokens, reusedTokens, answerTokens, readingMs, answeringMs }: AnswerStatistics) {
  const rate = (tokens: number, milliseconds: number) => (milliseconds > 0 ? (tokens * 1000) / milliseconds : null);
  return { readingTokensPerSecond: rate(promptTokens - reusedTokens, readingMs), answeringTokensPerSecond: rate(answerTokens, answeringMs) };
}
