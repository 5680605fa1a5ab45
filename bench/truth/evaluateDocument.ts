/** One document under several policies, against attention with everything on the GPU. It is read once by each model. */
import type { Readback } from '../../engine/device/readback.ts';
import { continuationLogits, distributionOf, divergence, mostLikely } from '../../engine/evaluatePolicy.ts';
import { AttentionShareMeter } from '../../engine/kv/tiers/attentionShare.ts';
import { emptyReport } from '../../engine/kv/tiers/farReport.ts';
import type { LoadedModel } from '../../engine/model.ts';
import type { TruthDocument, Tail } from './cases.ts';
import { type CaseLine, residentPolicy } from './caseLines.ts';
import type { TriedPolicy } from './policies.ts';

/** A model whose far keys lie beyond the GPU, and the policies to try on it; or one that has them on it and reads otherwise. */
export interface Variant {
  model: LoadedModel;
  policies: readonly TriedPolicy[];
}

/** Rows that choose together when a document is read sparsely. */
const sparseChunkTokens = 256;
/** Measuring a step takes as long as decoding a hundred. */
const attentionEverySteps = 64;

export type CaseResult = Pick<CaseLine, 'tail' | 'kind' | 'policy' | 'tokens' | 'klNats' | 'agreement' | 'found' | 'exactShare' | 'hitShare' | 'massShare' | 'recall' | 'stepMs'>;

export interface EvaluateOptions {
  resident: LoadedModel;
  variants: readonly Variant[];
  readback: Readback;
  signal?: AbortSignal;
  /** Whether a case is still wanted. */
  isWanted(tail: number, policy: string): boolean;
  onCase(result: CaseResult): void;
}

/** Tails come in an order that only cuts back, so after the first each policy starts from what is read already. */
export async function evaluateDocument({ tails }: TruthDocument, { resident, variants, readback, signal, isWanted, onCase }: EvaluateOptions): Promise<void> {
  for (const [index, tail] of tails.entries()) {
    const missing = variants.map(({ model, policies }) => ({ model, policies: policies.filter(({ label }) => isWanted(index, label)) }));
    if (missing.every(({ policies }) => policies.length === 0) && !isWanted(index, residentPolicy)) continue;
    const common = { tail: index, kind: tail.kind, tokens: tail.answer.length };
    const full = await decode(resident, readback, tail, signal);
    const truth = full.logits.map(distributionOf);
    if (isWanted(index, residentPolicy)) {
      onCase({ ...common, policy: residentPolicy, klNats: 0, agreement: 1, found: isFound(tail, truth.map((one) => one.mostLikely)), exactShare: 1, hitShare: null, massShare: 1, recall: null, stepMs: full.stepMs });
    }
    for (const { model, policies } of missing) {
      const { far } = model.runner;
      for (const { label, policy } of policies) {
        const meter = far && new AttentionShareMeter(readback, far, attentionEverySteps);
        if (far) {
          far.policy = policy;
          far.report.reset();
          far.observer = tail.kind === 'continuation' ? meter : null;
        }
        const { logits, stepMs } = await decode(model, readback, tail, signal);
        const chosen = logits.map(mostLikely);
        const { farKeys, exactKeys, hitKeys, fetchedKeys } = (far?.report.total ?? emptyReport());
        onCase({
          ...common,
          policy: label,
          klNats: mean(logits.map((other, i) => divergence(truth[i], other))),
          agreement: mean(chosen.map((token, i) => Number(token === truth[i].mostLikely))),
          found: isFound(tail, chosen),
          exactShare: far === null ? 1 : farKeys > 0 ? exactKeys / farKeys : 0,
          hitShare: hitKeys + fetchedKeys > 0 ? hitKeys / (hitKeys + fetchedKeys) : null,
          massShare: meter?.mean?.mass ?? null,
          recall: meter?.mean?.recall ?? null,
          stepMs: stepMs - (meter?.spentMs ?? 0) / tail.answer.length,
        });
      }
    }
  }
}

async function decode(model: LoadedModel, readback: Readback, { prefix, answer, documentEnd }: Tail, signal?: AbortSignal): Promise<{ logits: Float32Array[]; stepMs: number }> {
  // How a document is cut into chunks would change what is chosen; what is asked about it is read exactly.
  const reading = model.runner.sparseReading ? { sparseBefore: Math.min(documentEnd, prefix.length - 1), chunkTokens: sparseChunkTokens } : {};
  await model.sequence.extend(prefix.slice(0, -1), { ...reading, signal });
  const started = performance.now();
  const logits = await continuationLogits(model, readback, prefix, answer, signal);
  const stepMs = (performance.now() - started) / answer.length;
  // What the policy computed must not pass for what was read, not even where the next tail has the same tokens.
  model.sequence.dropTo(prefix.length - 1);
  return { logits, stepMs };
}

/** `chosen`: the most likely token at each place of the answer. */
function isFound({ kind, answer, answerFrom }: Tail, chosen: readonly number[]): boolean | null {
  if (kind === 'continuation') return null;
  return answer.every((token, i) => i < answerFrom || chosen[i] === token);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
