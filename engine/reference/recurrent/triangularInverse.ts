/**
 * (I + A)⁻¹ of a strictly lower triangular A in single precision, three ways: the step of chunked delta rules at which
 * precision is lost. Matrices are [size][size], row after row.
 */

type Inverse = (a: Float32Array<ArrayBuffer>, size: number) => Float32Array<ArrayBuffer>;

/** (I − A)(I + A²)(I + A⁴)…: few steps, but powers of A grow without bound where keys resemble each other. */
export const byDoubling: Inverse = (a, size) => {
  let power = multiply(a, a, size);
  let inverse = a.map((value, i) => (i % (size + 1) === 0 ? 1 : 0) - value);
  for (let reached = 2; reached < size; reached *= 2) {
    inverse = multiply(inverse, power.map((value, i) => value + (i % (size + 1) === 0 ? 1 : 0)), size);
    power = multiply(power, power, size);
  }
  return inverse;
};

/** Row by row: row i of the inverse is eᵢ − Σ_{j<i} A_ij · row j. */
export const bySubstitution: Inverse = (a, size) => {
  const inverse = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    inverse[i * size + i] = 1;
    for (let column = 0; column < i; column++) {
      let sum = 0;
      for (let j = column; j < i; j++) sum = Math.fround(sum + Math.fround(a[i * size + j] * inverse[j * size + column]));
      inverse[i * size + column] = -sum;
    }
  }
  return inverse;
};

/** Diagonal blocks of 16 by substitution, merged two and two: the lower left of a pair is −T₂₂ A₂₁ T₁₁. */
export const byBlocks: Inverse = (a, size) => {
  if (size <= 16) return bySubstitution(a, size);
  const half = size / 2;
  const block = (row: number, column: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: half * half }, (_, i) => a[(row * half + Math.floor(i / half)) * size + column * half + (i % half)]);
  const [upper, lower] = [byBlocks(block(0, 0), half), byBlocks(block(1, 1), half)];
  const between = multiply(multiply(lower, block(1, 0), half), upper, half);
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    const within = (row % half) * half + (column % half);
    if (row < half) return column < half ? upper[within] : 0;
    return column < half ? -between[within] : lower[within];
  });
};

function multiply(x: Float32Array, y: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const product = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = x[i * size + k];
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) product[i * size + j] += Math.fround(factor * y[k * size + j]);
    }
  }
  return product;
}
