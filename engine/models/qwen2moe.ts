/**
 * Qwen 1.5 and 2 with experts: Qwen 2 in which each token goes through the experts of the largest router logits, with
 * shares of a softmax over all experts, and through a shared one whose share is a sigmoid of its own.
 *
 *     x += Σ_chosen share_e · expert_e(n) + σ(Wgate·n) · shared(n)        n = rms(x)
 *
 * Source: transformers `Qwen2MoeModel`.
 */
import { describeDecoder } from './decoder.ts';
import { readExperts } from './experts.ts';
import type { Family } from './family.ts';

export const qwen2moe: Family = {
  architectures: ['qwen2moe'],
  describe: (file) => describeDecoder(file, 'qwen2moe', { pairing: 'halves', feedForward: (layer) => readExperts(file, 'qwen2moe', layer, { normalised: false }) }),
};
