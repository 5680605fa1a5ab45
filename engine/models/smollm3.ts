/**
 * SmolLM 3: Llama in which every fourth layer does not rotate, so that it sees keys without their positions (NoPE).
 * Source: transformers `SmolLM3Model`; NoPE layers: arXiv 2501.18795.
 */
import { describeDecoder } from './decoder.ts';
import type { Family } from './family.ts';

const layersToOneWithoutRope = 4;

export const smollm3: Family = {
  architectures: ['smollm3'],
  describe: (file) => describeDecoder(file, 'smollm3', { pairing: 'adjacent', rotates: (layer) => (layer + 1) % layersToOneWithoutRope !== 0 }),
};
