/**
 * A weight matrix on the GPU, still quantised, in the layout that the chosen kernels read.
 * y[row, output] = Σ_k x[row, k] · W[output, k].
 */
import type { AffineRows } from '../../formats/quantisation/affine.ts';
import type { TensorTypeName } from '../../formats/quantisation/tensorTypes.ts';

/** Weights in memory, before packing: quantised blocks or plain numbers. */
export type UnpackedMatrix =
  | { kind: 'affine'; rows: AffineRows }
  /** `precision` is how the file stores the numbers: the GPU may keep f16 as f16 without loss. */
  | { kind: 'float'; rows: number; columns: number; values: Float32Array; precision: 'f32' | 'f16' | 'bf16' };

/** Weights that are still in the file. */
export interface StoredMatrix {
  kind: 'stored';
  type: TensorTypeName;
  rows: number;
  columns: number;
  /** Fills `target` with the bytes of whole rows from `firstRow` on. */
  readRows(firstRow: number, target: Uint8Array): Promise<void>;
}

/** Weights as they come from a file. */
export type SourceMatrix = UnpackedMatrix | StoredMatrix;

export interface LinearShape {
  /** Output features: rows of the weight matrix. */
  outputs: number;
  /** Input features: columns of the weight matrix. */
  inputs: number;
}

export function rowsOf(source: SourceMatrix): number {
  return source.kind === 'affine' ? source.rows.rows : source.rows;
}

export function columnsOf(source: SourceMatrix): number {
  return source.kind === 'affine' ? source.rows.columns : source.columns;
}
