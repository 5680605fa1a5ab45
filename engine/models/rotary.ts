/**
 * The rotary embedding as a file declares it, with whatever scaling: linear, the divisors of Llama 3, YaRN, LongRoPE.
 * The keys and their
 * defaults are llama.cpp's, the arithmetic that of transformers (`modeling_rope_utils.py`).
 */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { size } from './family.ts';
import type { RotarySpec } from './spec.ts';

export interface RotaryDefaults {
  pairing: RotarySpec['pairing'];
  headDim: number;
  base?: number;
}

const shortFactors = 'rope_factors_short.weight';
const longFactors = 'rope_factors_long.weight';

/** Throws `unknown-architecture` for scalings that Longleaf does not know. */
export function readRotary(file: GgufFile, architecture: string, { pairing, headDim, base = 10_000 }: RotaryDefaults): RotarySpec {
  const { metadata, tensors } = file;
  const key = (name: string): string => `${architecture}.rope.${name}`;
  const plain: RotarySpec = {
    pairing,
    rotatedDims: size(file, key('dimension_count'), headDim, headDim),
    base: metadata.numberOr(key('freq_base'), base),
    positionScale: 1,
    divisors: tensors.has('rope_freqs.weight') ? 'rope_freqs.weight' : null,
    longDivisors: null,
    yarn: null,
    magnitude: 1,
  };
  // Files of Phi name no type: their factors say it.
  const type = metadata.stringOr(key('scaling.type'), tensors.has(longFactors) ? 'longrope' : 'none');
  if (type === 'none') return plain;
  if (type === 'linear') return { ...plain, positionScale: 1 / metadata.number(key('scaling.factor')) };
  if (type === 'yarn') return yarn(file, architecture, plain);
  if (type === 'longrope') return longRope(file, architecture, plain);
  throw new EngineError(
    'unknown-architecture',
    `The model asks for rope scaling "${type}"; Longleaf knows none, linear, yarn and longrope.`,
    'Choose another conversion of this model.',
  );
}

/**
 * The longest context the model was trained on. A file that stretches positions afterwards says so by leaving out
 * `scaling.finetuned`; LongRoPE's factors are found by training.
 */
export function trainedTokens(file: GgufFile, architecture: string, contextTokens: number, rotary: RotarySpec): number {
  const stretched = rotary.yarn !== null || rotary.positionScale !== 1;
  if (!stretched || file.metadata.booleanOr(`${architecture}.rope.scaling.finetuned`, false)) return contextTokens;
  const factor = rotary.yarn?.factor ?? 1 / rotary.positionScale;
  const original = rotary.yarn?.originalTokens ?? file.metadata.integerOr(`${architecture}.rope.scaling.original_context_length`, Math.round(contextTokens / factor));
  return Math.min(contextTokens, original);
}

function yarn(file: GgufFile, architecture: string, plain: RotarySpec): RotarySpec {
  const { metadata } = file;
  const key = (name: string): string => `${architecture}.rope.scaling.${name}`;
  const factor = metadata.number(key('factor'));
  const contextTokens = size(file, `${architecture}.context_length`, 1 << 24);
  return {
    ...plain,
    yarn: {
      factor,
      originalTokens: size(file, key('original_context_length'), 1 << 24, contextTokens),
      fastTurns: metadata.numberOr(key('yarn_beta_fast'), 32),
      slowTurns: metadata.numberOr(key('yarn_beta_slow'), 1),
    },
    magnitude: yarnMagnitude(file, architecture, factor),
  };
}

/** 0.1 · ln(factor) + 1 where the file does not say otherwise; `yarn_log_multiplier` is what transformers calls mscale_all_dim. */
function yarnMagnitude({ metadata }: GgufFile, architecture: string, factor: number): number {
  const key = (name: string): string => `${architecture}.rope.scaling.${name}`;
  const mscale = (multiplier: number): number => (factor > 1 ? 0.1 * multiplier * Math.log(factor) + 1 : 1);
  const allDims = metadata.numberOr(key('yarn_log_multiplier'), 0);
  const usual = allDims === 0 ? mscale(1) : mscale(1) / mscale(allDims);
  return metadata.numberOr(key('yarn_attn_factor'), usual) * metadata.numberOr(key('attn_factor'), 1);
}

/** Which set of factors applies is decided by the context that is allocated: keys in the cache cannot change. */
function longRope(file: GgufFile, architecture: string, plain: RotarySpec): RotarySpec {
  const { metadata } = file;
  const contextTokens = size(file, `${architecture}.context_length`, 1 << 24);
  const originalTokens = size(file, `${architecture}.rope.scaling.original_context_length`, 1 << 24, contextTokens);
  const stretch = contextTokens / originalTokens;
  const magnitude = stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(originalTokens)) : 1;
  return {
    ...plain,
    divisors: shortFactors,
    longDivisors: { tensor: longFactors, afterTokens: originalTokens },
    magnitude: metadata.numberOr(`${architecture}.rope.scaling.attn_factor`, magnitude),
  };
}
