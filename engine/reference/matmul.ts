/** Matrix products on the CPU, written to be read: what the kernels are tested against. */
import type { AffineRows } from '../formats/quantisation/affine.ts';

/** Dense weights as numbers, row after row. */
export interface DenseRows {
  rows: number;
  columns: number;
  values: Float32Array | Float64Array;
}

/** Every weight of quantised rows: scale · (code − zero point) + offset. */
export function expand(matrix: AffineRows): DenseRows {
  const values = new Float64Array(matrix.rows * matrix.columns);
  for (let index = 0; index < values.length; index++) {
    const block = Math.floor(index / matrix.blockSize);
    values[index] = matrix.scales[block] * (matrix.codes[index] - matrix.zeroPoint) + (matrix.offsets?.[block] ?? 0);
  }
  return { rows: matrix.rows, columns: matrix.columns, values };
}

/** Matrices of equal columns, one under the other. */
export function stack(matrices: readonly DenseRows[]): DenseRows {
  const { columns } = matrices[0];
  return {
    rows: matrices.reduce((sum, matrix) => sum + matrix.rows, 0),
    columns,
    values: Float64Array.from(matrices.flatMap((matrix) => [...matrix.values])),
  };
}

/** y[row][output] = Σ_k x[row][k] · W[output][k], summed in double precision. */
export function multiply(input: Float32Array, inputRows: number, weights: DenseRows): Float64Array {
  const output = new Float64Array(inputRows * weights.rows);
  for (let row = 0; row < inputRows; row++) {
    for (let out = 0; out < weights.rows; out++) {
      let sum = 0;
      for (let k = 0; k < weights.columns; k++) sum += input[row * weights.columns + k] * weights.values[out * weights.columns + k];
      output[row * weights.rows + out] = sum;
    }
  }
  return output;
}

/** Σ_k |x[row][k] · W[output][k]|: the size against which rounding errors of `multiply` are judged. */
export function magnitude(input: Float32Array, inputRows: number, weights: DenseRows): Float64Array {
  return multiply(input.map(Math.abs), inputRows, { ...weights, values: weights.values.map(Math.abs) });
}

/** hidden[row][k] = scale · W[tokens[row]][k]. */
export function lookUp(tokens: Uint32Array, scale: number, weights: DenseRows): Float64Array {
  const { columns, values } = weights;
  return Float64Array.from({ length: tokens.length * columns }, (_, index) => {
    const token = tokens[Math.floor(index / columns)];
    return scale * values[token * columns + (index % columns)];
  });
}
