/** References of what RWKV-7 does around its recurrence: `token_shift`, `rwkv_keys`, `rwkv_values`, `rwkv_read`, `activate_rows`. */
import type { RowActivation } from '../../layers/recurrent/rwkv.ts';

export function activate(activation: RowActivation, x: number): number {
  if (activation === 'tanh') return Math.tanh(x);
  return activation === 'sigmoid' ? sigmoid(x) : Math.max(x, 0) ** 2;
}

/** x and the row before it mixed by each row of `lerp` ([mixes][columns]). */
export function tokenShift(x: ArrayLike<number>, before: ArrayLike<number>, lerp: ArrayLike<number>): Float64Array[] {
  const columns = x.length;
  return Array.from({ length: lerp.length / columns }, (_, mix) => Float64Array.from(x, (own, i) => own + (before[i] - own) * lerp[mix * columns + i]));
}

/** A head's keys and its vectors of erasing. Everything [headDim]; `rate` before its sigmoid. */
export function rwkvKeys(
  projected: ArrayLike<number>,
  { keyScale, keyRate, rate, decays }: { keyScale: ArrayLike<number>; keyRate: ArrayLike<number>; rate: ArrayLike<number>; decays: ArrayLike<number> },
): { keys: Float64Array; a: Float64Array; b: Float64Array } {
  const scaled = Float64Array.from(projected, (key, i) => key * keyScale[i]);
  const length = Math.max(Math.hypot(...scaled), 1e-12);
  const rates = Float64Array.from(rate, sigmoid);
  return {
    keys: Float64Array.from(projected, (key, i) => key * (1 + (rates[i] - 1) * keyRate[i])),
    a: scaled.map((x, i) => x / length / decays[i]),
    b: scaled.map((x, i) => (x / length) * rates[i]),
  };
}

/** A value with the first layer's mixed in; `mix` before its sigmoid. */
export function rwkvValue(value: number, firstValue: number, mix: number): number {
  return value + (firstValue - value) * sigmoid(mix);
}

/** What a head gives of what it read; everything [headDim]. */
export function rwkvRead(
  read: ArrayLike<number>,
  { queries, keys, values, gate, weight, bias, bonus }: Record<'queries' | 'keys' | 'values' | 'gate' | 'weight' | 'bias' | 'bonus', ArrayLike<number>>,
  epsilon: number,
): Float64Array {
  const count = read.length;
  const mean = Float64Array.from(read).reduce((sum, x) => sum + x, 0) / count;
  const scale = 1 / Math.sqrt(Float64Array.from(read, (x) => (x - mean) ** 2).reduce((sum, x) => sum + x, 0) / count + epsilon);
  let own = 0;
  for (let i = 0; i < count; i++) own += queries[i] * keys[i] * bonus[i];
  return Float64Array.from(read, (x, i) => ((x - mean) * scale * weight[i] + bias[i] + own * values[i]) * gate[i]);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
