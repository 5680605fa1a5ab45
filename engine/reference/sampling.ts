/** Reference of the sampling kernels, in double precision. */
import type { SamplingSettings } from '../sampling/settings.ts';

/** pcg3d of Jarzynski and Olano (2020), its first word. */
export function random(seed: number, draw: number, token: number): number {
  const v = [seed, draw, token].map((x) => (Math.imul(x, 1664525) + 1013904223) | 0);
  const mix = () => {
    v[0] = (v[0] + Math.imul(v[1], v[2])) | 0;
    v[1] = (v[1] + Math.imul(v[2], v[0])) | 0;
    v[2] = (v[2] + Math.imul(v[0], v[1])) | 0;
  };
  mix();
  for (let i = 0; i < 3; i++) v[i] ^= v[i] >>> 16;
  mix();
  return v[0] >>> 0;
}

/** Repetition penalty of llama.cpp over the tokens seen. */
export function penalise(logits: ArrayLike<number>, seen: readonly number[], penalty: number): number[] {
  const out = Array.from(logits);
  for (const token of new Set(seen)) out[token] = out[token] <= 0 ? out[token] * penalty : out[token] / penalty;
  return out;
}

/** The tokens that top-k, then top-p, then min-p leave, likeliest first; equal logits by ascending id. */
export function keptTokens(logits: readonly number[], { topK, topP, minP }: SamplingSettings): number[] {
  let kept = logits.map((_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) kept = kept.slice(0, topK);
  const highest = logits[kept[0]];
  const weights = kept.map((token) => Math.exp(logits[token] - highest));
  if (topP < 1) {
    const enough = topP * weights.reduce((a, b) => a + b, 0);
    let before = 0;
    kept = kept.filter((_, i) => {
      const keep = i === 0 || before < enough;
      before += weights[i];
      return keep;
    });
  }
  return kept.filter((token) => logits[token] >= highest + Math.log(minP));
}

/** Probabilities of the draw for every token. */
export function drawProbabilities(logits: readonly number[], settings: SamplingSettings): number[] {
  const kept = keptTokens(logits, settings);
  const out = logits.map(() => 0);
  if (settings.temperature <= 0) {
    out[kept[0]] = 1;
    return out;
  }
  const weights = kept.map((token) => Math.exp((logits[token] - logits[kept[0]]) / settings.temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  kept.forEach((token, i) => {
    out[token] = weights[i] / total;
  });
  return out;
}

/** The tokens of that many draws: of each, the first to arrive in a race of exponential times. */
export function drawTokens(logits: readonly number[], settings: SamplingSettings, draws: number): number[] {
  const kept = keptTokens(logits, settings);
  return Array.from({ length: draws }, (_, draw) => (settings.temperature <= 0 ? kept[0] : fastest(kept, logits, settings, draw)));
}

function fastest(kept: readonly number[], logits: readonly number[], { seed, temperature }: SamplingSettings, draw: number): number {
  let winner = kept[0];
  let best = -Infinity;
  for (const token of kept) {
    const uniform = (random(seed, draw, token) + 0.5) / 2 ** 32;
    const score = logits[token] / temperature - Math.log(-Math.log1p(-uniform));
    if (score > best) [winner, best] = [token, score];
  }
  return winner;
}
