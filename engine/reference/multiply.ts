/** A dequantised matrix: `rows` outputs of `columns` inputs. */
export interface ReferenceMatrix {
  rows: number;
  columns: number;
  values: Float32Array;
}

/** W · x in double precision. */
export function multiply({ rows, columns, values }: ReferenceMatrix, x: Float64Array): Float64Array {
  const y = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += values[row * columns + column] * x[column];
    y[row] = sum;
  }
  return y;
}
