/** Reference of `gated_activation.wgsl` and `sigmoid_gate.wgsl`. */

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x ** 3)));
}

/** gateUp [rows][2 · columns] → [rows][columns]. */
export function gate(gateUp: Float32Array, columns: number, activation: (x: number) => number): Float32Array {
  const rows = gateUp.length / (2 * columns);
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      out[row * columns + i] = activation(gateUp[2 * row * columns + i]) * gateUp[(2 * row + 1) * columns + i];
    }
  }
  return out;
}

/** values ⊙ sigmoid(gate). */
export function sigmoidGate(values: Float32Array, gate: Float32Array): Float32Array {
  return values.map((value, i) => value / (1 + Math.exp(-gate[i])));
}
