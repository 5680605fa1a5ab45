/**
 * laLTE (arXiv 2510.20787): layers of Gated DeltaNet, and between them attention that drops tokens (`evicting`).
 *
 *     x = embedding[token]
 *     x += Wo · (rms(delta(conv(Wqkv·n), α·n, β·n)) ⊙ silu(Wz·n))              where the layer has `ssm_a`; n = rms(x)
 *     x += Wo · attention(rope(Wq·n), rope(Wk·n), Wv·n; tokens that are kept)   the others
 *     x += Wdown · (silu(Wgate·n) ⊙ Wup·n)                                      n = rms(x)
 *     logits = Wout · rms(x)
 *
 * No converter of others writes such files: names and keys are Longleaf's own (docs/layer-kinds.md). Tensors of Gated
 * DeltaNet are those of Qwen3.5, value heads grouped.
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { describeDecoder } from './decoder.ts';
import { type EvictingSpec, routerLead, type RouterSpec } from './evictingSpec.ts';
import { type Family, size } from './family.ts';
import { deltaOf } from './qwen35.ts';
import type { AttentionSpec } from './spec.ts';

/** What the plan of an eviction holds in a workgroup's memory, three numbers a token. */
const largestBudget = 1024;

export const lalte: Family = {
  architectures: ['lalte'],
  describe: (file) => {
    const evicting = evictingOf(file);
    // Its sizes are read only if there is such a layer.
    let delta: ReturnType<typeof deltaOf> | null = null;
    return describeDecoder(file, 'lalte', {
      pairing: 'halves',
      mixer: (i, attention) => {
        if (!file.tensors.has(`blk.${i}.ssm_a`)) return evicting(i, attention(i));
        delta ??= deltaOf(file, 'lalte', { keyHeadOrder: 'grouped', gateOrder: 'alpha, beta' });
        return delta(i);
      },
    });
  },
};

function evictingOf(file: GgufFile): (i: number, attention: AttentionSpec) => EvictingSpec {
  const windowTokens = size(file, 'lalte.evicting.window', 1 << 20);
  const budgetTokens = size(file, 'lalte.evicting.budget', largestBudget);
  const sinkTokens = file.metadata.integerOr('lalte.evicting.sinks', 0);
  if (windowTokens <= routerLead || sinkTokens < 0 || sinkTokens > budgetTokens) {
    throw new EngineError(
      'model-incomplete',
      `The header says a window of ${windowTokens} tokens, a budget of ${budgetTokens} and ${sinkTokens} sinks; the window must be longer than ${routerLead}, and the sinks lie in the budget.`,
      'Convert the file again.',
    );
  }
  return (i, attention) => ({ ...attention, kind: 'evicting', windowTokens, budgetTokens, sinkTokens, router: routerOf(i, attention) });
}

/** 2·headDim numbers of a token become headDim, half of that, a quarter. */
function routerOf(layer: number, { kvHeads, headDim }: AttentionSpec): RouterSpec {
  const widths = [2 * headDim, headDim, headDim / 2, headDim / 4];
  const name = (stage: number, part: string): string => `blk.${layer}.evict_conv${stage + 1}.${part}`;
  return {
    convolutions: widths.slice(1).map((outputs, stage) => ({
      inputs: widths[stage],
      outputs,
      weight: { name: name(stage, 'weight'), dims: [3, widths[stage], kvHeads * outputs] },
      bias: { name: name(stage, 'bias'), dims: [kvHeads * outputs] },
    })),
    score: {
      weight: { name: `blk.${layer}.evict_score.weight`, dims: [widths[3], kvHeads] },
      bias: { name: `blk.${layer}.evict_score.bias`, dims: [kvHeads] },
    },
  };
}
