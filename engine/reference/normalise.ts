/** Reference of `normalise.wgsl`: root-mean-square normalisation and layer norms, summed in double precision. */

/** values[row] · weight / sqrt(mean(values[row]²) + epsilon) for rows of `weight.length` columns. */
export function normaliseRows(values: Float32Array, weight: Float32Array, epsilon: number): Float32Array {
  const columns = weight.length;
  const out = new Float32Array(values.length);
  for (let base = 0; base < values.length; base += columns) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += values[base + i] ** 2;
    const scale = 1 / Math.sqrt(sum / columns + epsilon);
    for (let i = 0; i < columns; i++) out[base + i] = values[base + i] * scale * weight[i];
  }
  return out;
}

/** (values[row] − mean) · weight / sqrt(variance + epsilon) + bias. */
export function layerNormRows(values: Float32Array, weight: Float32Array, bias: Float32Array, epsilon: number): Float32Array {
  const columns = weight.length;
  const centred = values.map((x, i) => {
    const row = values.subarray(i - (i % columns), i - (i % columns) + columns);
    return x - row.reduce((sum, one) => sum + one, 0) / columns;
  });
  return normaliseRows(centred, weight, epsilon).map((x, i) => x + bias[i % columns]);
}
