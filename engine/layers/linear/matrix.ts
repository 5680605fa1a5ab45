/**
 * A weight matrix on the GPU, still quantised, in the layout that the chosen kernels read.
 * y[row, output] = Σ_k x[row, k] · W[output, k].
 */
import type { AffineRows } from '../../formats/quantisation/affine.ts';

/** Weights as they come from the file, before packing: quantised blocks or plain numbers. */
export type SourceMatrix =
  | { kind: 'affine'; rows: AffineRows }
  /** `precision` is how the file stores the numbers: the GPU may keep f16 as f16 without loss. */
  | { kind: 'float'; rows: number; columns: number; values: Float32Array; precision: 'f32' | 'f16' | 'bf16' };

export interface LinearShape {
  /** Output features: rows of the weight matrix. */
  outputs: number;
  /** Input features: columns of the weight matrix. */
  inputs: number;
}
