/** Keys in clusters, and queries from another distribution, as attention has them: for tests and benchmarks. */
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';

export interface AttentionLikeData {
  /** [key][dims]. */
  keys: Float32Array;
  /** [query][dims]. */
  queries: Float32Array;
}

/**
 * Keys lie around cluster centres that share an offset; queries are mixtures of a few directions of their own, far from
 * any key, that weigh some clusters more than others.
 */
export function attentionLikeData({ keys, queries, dims, clusters, seed }: { keys: number; queries: number; dims: number; clusters: number; seed: number }): AttentionLikeData {
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const vector = (scale: number): Float32Array => Float32Array.from({ length: dims }, () => scale * normal());
  const offset = vector(2);
  const centres = Array.from({ length: clusters }, () => vector(1));
  const directions = Array.from({ length: 8 }, () => vector(2));
  const drift = vector(3);
  const keyRows = new Float32Array(keys * dims);
  for (let key = 0; key < keys; key++) {
    const centre = centres[Math.floor(random() * clusters)];
    for (let i = 0; i < dims; i++) keyRows[key * dims + i] = offset[i] + centre[i] + 0.5 * normal();
  }
  const queryRows = new Float32Array(queries * dims);
  for (let query = 0; query < queries; query++) {
    const [one, other] = [directions[Math.floor(random() * 8)], directions[Math.floor(random() * 8)]];
    for (let i = 0; i < dims; i++) queryRows[query * dims + i] = drift[i] + one[i] + 0.5 * other[i] + 0.5 * normal();
  }
  return { keys: keyRows, queries: queryRows };
}
