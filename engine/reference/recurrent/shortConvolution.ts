/** Reference of `short_convolution.wgsl`. */

/**
 * Convolves `inputs` [rows][channels] with `weight` [channels][taps]; `tail` [taps − 1][channels] holds the inputs before
 * them and is left with the last ones.
 */
export function shortConvolution(
  inputs: Float64Array,
  weight: Float32Array,
  tail: Float64Array,
  { channels, taps, bias = null }: { channels: number; taps: number; bias?: Float32Array | null },
): Float64Array {
  const rows = inputs.length / channels;
  const all = new Float64Array(tail.length + inputs.length);
  all.set(tail);
  all.set(inputs, tail.length);
  const output = new Float64Array(inputs.length);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = bias ? bias[channel] : 0;
      for (let tap = 0; tap < taps; tap++) sum += weight[channel * taps + tap] * all[(row + tap) * channels + channel];
      output[row * channels + channel] = sum;
    }
  }
  tail.set(all.subarray(rows * channels));
  return output;
}
