/** Reference of `recurrent_scan.wgsl`, in double precision and in the order of the paper. */
import type { ScanShape } from '../../layers/recurrent/scan.ts';

/** The state of all heads, [head][key][value]. */
export function emptyState({ heads, keyDim, valueDim }: Pick<ScanShape, 'heads' | 'keyDim' | 'valueDim'>): Float64Array {
  return new Float64Array(heads * keyDim * valueDim);
}

/** As the kernel's buffers of these names. */
export interface ScanMore {
  skip?: ArrayLike<number>;
  decays?: ArrayLike<number>;
  erasers?: ArrayLike<number>;
}

/** Adds the rows of `vectors` ([rows][stride]) to `state`; gates [rows][heads] of (decay, strength). Returns [rows][heads][valueDim]. */
export function scan(shape: ScanShape, vectors: ArrayLike<number>, gates: ArrayLike<number>, state: Float64Array, more: ScanMore = {}): Float64Array {
  const { skip, decays, erasers } = more;
  const { heads, keyHeads, keyDim, valueDim, stride, queryOffset, keyOffset, valueOffset, erase, keyHeadOrder } = shape;
  const rows = gates.length / (2 * heads);
  const output = new Float64Array(rows * heads * valueDim);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const keyHead = keyHeadOrder === 'tiled' ? head % keyHeads : Math.floor((head * keyHeads) / heads);
      const query = row * stride + queryOffset + keyHead * keyDim;
      const key = row * stride + keyOffset + keyHead * keyDim;
      const value = row * stride + valueOffset + head * valueDim;
      const [decay, strength] = [gates[2 * (row * heads + head)], gates[2 * (row * heads + head) + 1]];
      const place = (row * heads + head) * keyDim;
      for (let v = 0; v < valueDim; v++) {
        const at = (k: number): number => (head * keyDim + k) * valueDim + v;
        let held = 0;
        let erased = 0;
        for (let k = 0; k < keyDim; k++) {
          state[at(k)] *= decays ? decays[place + k] : decay;
          held += state[at(k)] * vectors[key + k];
          if (erasers) erased += state[at(k)] * erasers[2 * place + k];
        }
        const added = strength * (vectors[value + v] - (erase === true ? held : 0));
        let read = 0;
        for (let k = 0; k < keyDim; k++) {
          state[at(k)] += vectors[key + k] * added - (erasers ? erasers[2 * place + keyDim + k] * erased : 0);
          read += state[at(k)] * vectors[query + k];
        }
        output[(row * heads + head) * valueDim + v] = read + (skip ? skip[head] * vectors[value + v] : 0);
      }
    }
  }
  return output;
}
