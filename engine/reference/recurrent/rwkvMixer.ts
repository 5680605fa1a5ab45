/** RWKV-7's layers in double precision, one token at a time. */
import { rwkvNormEpsilon, type RwkvSpec } from '../../models/linearSpec.ts';
import type { ChannelMixSpec } from '../../models/spec.ts';
import type { ReferenceWeights } from '../forward.ts';
import { multiply } from '../multiply.ts';
import { keyDecay } from './keyDecays.ts';
import type { ReferenceMixer } from './mixers.ts';
import { activate, rwkvKeys, rwkvRead, rwkvValue, tokenShift } from './rwkv.ts';
import { emptyState, scan } from './scan.ts';

/** The first layer's values of the token that passes through the layers. */
export interface FirstValues {
  current: Float64Array;
}

export function rwkvMixer({ heads, headDim, first, tensors }: RwkvSpec, weights: ReferenceWeights, firstValues: FirstValues): ReferenceMixer {
  const columns = heads * headDim;
  const shape = { heads, keyHeads: heads, keyDim: headDim, valueDim: headDim, stride: 3 * columns, queryOffset: 0, keyOffset: columns, valueOffset: 2 * columns, erase: 'vectors', keyHeadOrder: 'grouped' } as const;
  const state = emptyState(shape);
  const gates = Float64Array.from({ length: 2 * heads }, () => 1);
  const vector = (name: keyof typeof tensors.vectors): Float32Array => weights.vector(tensors.vectors[name].name);
  const product = (name: keyof typeof tensors.matrices, x: Float64Array): Float64Array => multiply(weights.matrix(tensors.matrices[name][0].name), x);
  let before = new Float64Array(columns);
  return (normed) => {
    const [r, w, k, v, a, g] = tokenShift(normed, before, vector('shift'));
    before = Float64Array.from(normed);
    const plus = (x: Float64Array, bias: Float32Array): Float64Array => x.map((value, i) => value + bias[i]);
    const queries = product('receptance', r);
    const projectedKeys = product('key', k);
    const decayInput = plus(product('decayOut', product('decayIn', w).map((x) => activate('tanh', x))), vector('decayBias'));
    const decays = decayInput.map((x) => keyDecay('bounded', x, 0));
    const rate = plus(product('rateOut', product('rateIn', a)), vector('rateBias'));
    const gate = product('gateOut', product('gateIn', g).map((x) => activate('sigmoid', x)));
    let values = product('value', v);
    if (first) firstValues.current = values;
    else {
      const mix = plus(product('mixOut', product('mixIn', v)), vector('mixBias'));
      values = values.map((value, i) => rwkvValue(value, firstValues.current[i], mix[i]));
    }
    const keys = new Float64Array(columns);
    const erasers = new Float64Array(2 * columns);
    const ofHead = <Numbers extends Float32Array | Float64Array>(numbers: Numbers, head: number): Numbers => numbers.subarray(head * headDim, (head + 1) * headDim) as Numbers;
    for (let head = 0; head < heads; head++) {
      const own = rwkvKeys(ofHead(projectedKeys, head), { keyScale: ofHead(vector('keyScale'), head), keyRate: ofHead(vector('keyRate'), head), rate: ofHead(rate, head), decays: ofHead(decays, head) });
      keys.set(own.keys, head * headDim);
      erasers.set(own.a, 2 * head * headDim);
      erasers.set(own.b, (2 * head + 1) * headDim);
    }
    const read = scan(shape, [...queries, ...keys, ...values], gates, state, { decays, erasers });
    const out = new Float64Array(columns);
    for (let head = 0; head < heads; head++) {
      const parts = { queries, keys, values, gate, weight: vector('norm'), bias: vector('normBias'), bonus: vector('bonus') };
      const own = Object.fromEntries(Object.entries(parts).map(([name, numbers]) => [name, ofHead(numbers, head)])) as typeof parts;
      out.set(rwkvRead(ofHead(read, head), own, rwkvNormEpsilon), head * headDim);
    }
    return product('output', out);
  };
}

export function channelMix({ tensors }: ChannelMixSpec, weights: ReferenceWeights): (normed: Float64Array) => Float64Array {
  let before: Float64Array | null = null;
  return (normed) => {
    const [mixed] = tokenShift(normed, before ?? new Float64Array(normed.length), weights.vector(tensors.shift));
    before = Float64Array.from(normed);
    return multiply(weights.matrix(tensors.value), multiply(weights.matrix(tensors.key), mixed).map((x) => activate('squared relu', x)));
  };
}
