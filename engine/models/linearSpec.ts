/**
 * Layers of the kind `linear`: each keeps a state of one size, whatever the length of the sequence. A state is one
 * matrix [keyDim][valueDim] a head and the last inputs of a short convolution; either may be missing.
 */

/** A tensor of the file and the dimensions that the header's numbers ask for, inputs first. */
export interface TensorShape {
  name: string;
  dims: readonly number[];
}

interface LinearMixer<Matrices extends string, Vectors extends string> {
  kind: 'linear';
  windowTokens: null;
  tensors: {
    /** Products, each of one tensor or of several stacked along their outputs. */
    matrices: Readonly<Record<Matrices, readonly TensorShape[]>>;
    vectors: Readonly<Record<Vectors, TensorShape>>;
  };
}

/**
 * Gated DeltaNet (arXiv 2412.06464): S ← e^g S; S ← S + k (β (v − Sᵀk))ᵀ; o = Sᵀq, with
 * g = decay · softplus(alpha + bias) and β = sigmoid(beta), each one number a value head; queries and keys have
 * length 1. The output is rms(o) ⊙ silu(gate), head by head.
 */
export interface GatedDeltaSpec extends LinearMixer<'projections' | 'output', 'convolution' | 'decay' | 'decayBias' | 'norm'> {
  mechanism: 'gated delta';
  keyHeads: number;
  valueHeads: number;
  /** Of keys and values alike. */
  headDim: number;
  taps: number;
  /** Which key head a value head h goes with: `tiled` h mod keyHeads, `grouped` ⌊h ÷ (valueHeads ÷ keyHeads)⌋. */
  keyHeadOrder: 'tiled' | 'grouped';
  /** How alpha and beta lie in the projections: all of one kind, or for each key head the betas of its heads, then their alphas. */
  gateOrder: 'alpha, beta' | 'by key head';
}

/** The short convolution of LFM2: out = c ⊙ convolution(b ⊙ x) for projections b | c | x. */
export interface ShortConvolutionSpec extends LinearMixer<'projections' | 'output', 'convolution'> {
  mechanism: 'short convolution';
  channels: number;
  taps: number;
}

/**
 * Mamba-2 (arXiv 2405.21060): S ← e^(Δ·rate) S + (Δ x) bᵀ; y = S c + skip · x, with Δ = softplus(Δ' + bias), one number a
 * head, where z | x | b | c | Δ' = projections and x | b | c pass through the convolution. Keys b and queries c belong to
 * groups of heads. The output is rms(y ⊙ silu(z)), group by group.
 */
export interface StateSpaceSpec extends LinearMixer<'projections' | 'output', 'convolution' | 'convolutionBias' | 'rate' | 'stepBias' | 'skip' | 'norm'> {
  mechanism: 'state space';
  heads: number;
  headDim: number;
  groups: number;
  /** Of keys and queries. */
  stateDim: number;
  taps: number;
}

type RwkvMatrices = 'receptance' | 'key' | 'value' | 'decayIn' | 'decayOut' | 'rateIn' | 'rateOut' | 'mixIn' | 'mixOut' | 'gateIn' | 'gateOut' | 'output';
type RwkvVectors = 'shift' | 'decayBias' | 'rateBias' | 'mixBias' | 'keyScale' | 'keyRate' | 'bonus' | 'norm' | 'normBias';

/**
 * RWKV-7 (arXiv 2503.14456): S ← diag(w) S − (κ ⊙ α)(κᵀS)ᵀ + k vᵀ, the erased part read before the decay; o = Sᵀr. Each of
 * r, w, k, v, α and the gate is a product of the row mixed with the row before it; those of w, α, the mix and the gate are
 * of low rank, `…In` then `…Out`.
 */
export interface RwkvSpec extends LinearMixer<RwkvMatrices, RwkvVectors> {
  mechanism: 'rwkv';
  heads: number;
  headDim: number;
  /** The first layer's values are mixed into those of the others. */
  first: boolean;
  /** The widest of the products of low rank. */
  rank: number;
}

/** Of RWKV-7's norm of what heads read; files do not give it. */
export const rwkvNormEpsilon = 64e-5;

export type LinearSpec = GatedDeltaSpec | ShortConvolutionSpec | StateSpaceSpec | RwkvSpec;

/** Every tensor of a layer with its shape. */
export function shapesOf({ tensors }: LinearSpec): TensorShape[] {
  return [...Object.values(tensors.matrices).flat(), ...Object.values(tensors.vectors)];
}

/** The state of one layer in f32 numbers: `matrix` of all heads, and the `tail` of the convolution. */
export function stateFloats(spec: LinearSpec): { matrix: number; tail: number } {
  switch (spec.mechanism) {
    case 'gated delta':
      return { matrix: spec.valueHeads * spec.headDim ** 2, tail: (spec.taps - 1) * convolvedChannels(spec) };
    case 'short convolution':
      return { matrix: 0, tail: (spec.taps - 1) * spec.channels };
    case 'state space':
      return { matrix: spec.heads * spec.headDim * spec.stateDim, tail: (spec.taps - 1) * scannedChannels(spec) };
    case 'rwkv':
      // The last row of the mixer, and that of the channel mix behind it.
      return { matrix: spec.heads * spec.headDim ** 2, tail: 2 * spec.heads * spec.headDim };
  }
}

/** Bytes of one layer's state: what a snapshot of it takes. */
export function stateBytes(spec: LinearSpec): number {
  const { matrix, tail } = stateFloats(spec);
  return 4 * (matrix + tail);
}

/** Values | keys | queries of Mamba-2, which pass through the convolution together. */
export function scannedChannels({ heads, headDim, groups, stateDim }: Pick<StateSpaceSpec, 'heads' | 'headDim' | 'groups' | 'stateDim'>): number {
  return heads * headDim + 2 * groups * stateDim;
}

/** Queries | keys | values, which pass through the convolution together. */
export function convolvedChannels({ keyHeads, valueHeads, headDim }: Pick<GatedDeltaSpec, 'keyHeads' | 'valueHeads' | 'headDim'>): number {
  return (2 * keyHeads + valueHeads) * headDim;
}
