/** How the next token is chosen from the logits, in the order in which the settings apply. */
export interface SamplingSettings {
  /** Divides positive and multiplies negative logits of the tokens seen last; 1 is off. */
  repetitionPenalty: number;
  /** How many of the newest tokens the penalty sees; those of the prompt count. */
  penaltyTokens: number;
  /** Keeps the k largest; 0 is off. */
  topK: number;
  /** Keeps the fewest largest that together have this probability; 1 is off. Without top-k at most `largestNucleus`. */
  topP: number;
  /** Keeps those at least this likely compared with the likeliest; 0 is off. */
  minP: number;
  /** 0 takes the likeliest token, the lowest id among equals. */
  temperature: number;
  /** Integer below 2^32. */
  seed: number;
}

/** llama.cpp penalises the last 64 tokens unless told otherwise. */
export const greedySettings: SamplingSettings = {
  repetitionPenalty: 1,
  penaltyTokens: 64,
  topK: 0,
  topP: 1,
  minP: 0,
  temperature: 0,
  seed: 0,
};

/** The most tokens that top-k and top-p keep: `CANDIDATES` in sample_pick.wgsl. */
export const largestNucleus = 4096;

/** Which way of choosing the kernels take; the numbers are those of sample_logits.wgsl. */
export function samplingMode({ temperature, topK, topP }: SamplingSettings): 0 | 1 | 2 {
  if (temperature <= 0) return 0;
  return topK === 0 && topP >= 1 ? 1 : 2;
}
