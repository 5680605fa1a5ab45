/** What layers of constant state are bound to, whatever their mechanism. */
import type { Step } from '../step.ts';

export interface LinearInputs {
  /** [rows][hiddenSize] f32. */
  normed: GPUBuffer;
  /** Scratch, one row a token; how many numbers each has is what `linearColumns` says. */
  projections: GPUBuffer;
  vectors: GPUBuffer;
  gates: GPUBuffer;
  /** The result. */
  mixed: GPUBuffer;
  step: GPUBuffer;
  /** Scratch of RWKV alone. */
  rwkv: RwkvBuffers | null;
  maxRows: number;
  normEpsilon: number;
}

/** Scratch of RWKV, one row a token. */
export interface RwkvBuffers {
  /** [mixes][maxRows][columns] f32. */
  shifted: GPUBuffer;
  /** [rows][rank] f32, between the two products of low rank. */
  low: GPUBuffer;
  decays: GPUBuffer;
  erasers: GPUBuffer;
  /** The first layer's values, for the layers after it. */
  firstValues: GPUBuffer;
}

/** A multiplication and an addition for each number of the state to decay, read, write and be read again; the state read and written once. */
export function scanWork({ heads, keyDim, valueDim, columns }: { heads: number; keyDim: number; valueDim: number; columns: number }): (step: Step) => { flops: number; bytes: number } {
  const state = heads * keyDim * valueDim;
  return ({ rows }) => ({ flops: 8 * rows * state, bytes: 8 * state + 4 * rows * columns });
}
