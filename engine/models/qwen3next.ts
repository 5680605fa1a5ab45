/**
 * Qwen3-Next (80B-A3B): the layers of Qwen3.5 MoE, in files that keep the value heads of a key head together and its betas
 * and alphas in one tensor. Source: transformers `Qwen3NextModel`; tensor names of llama.cpp's converter.
 */
import type { Family } from './family.ts';
import { describeDeltaHybrid } from './qwen35.ts';

export const qwen3next: Family = {
  architectures: ['qwen3next'],
  describe: (file) => describeDeltaHybrid(file, 'qwen3next', { keyHeadOrder: 'grouped', gateOrder: 'by key head' }),
};
