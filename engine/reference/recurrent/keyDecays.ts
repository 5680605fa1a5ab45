/** Reference of `key_decays.wgsl`. */
import { softplus } from './gatedDelta.ts';

/** `softplus`: Kimi Delta Attention and Gated DeltaNet-2; `log sigmoid`: gated linear attention; `bounded`: RWKV-7. */
export type DecayForm = 'softplus' | 'log sigmoid' | 'bounded';

/** The decay of a key from what is projected for it; `rate` (≤ 0) of its head, for `softplus`. */
export function keyDecay(form: DecayForm, x: number, rate: number): number {
  if (form === 'softplus') return Math.exp(rate * softplus(x));
  if (form === 'log sigmoid') return Math.exp(-softplus(-x) / 16);
  return Math.exp(-Math.exp(-0.5) / (1 + Math.exp(-x)));
}
