/**
 * Reference of the cluster kernels, in double precision, for one key-value head.
 * Source: RetroInfer's segmented spherical k-means (arXiv 2505.02922, §4), each round within its segment.
 */
import { clusteringRounds, clusterTokens, noCluster } from '../../retrieval/layout.ts';
import type { Partial } from '../attention.ts';

export interface SegmentClusters {
  /** [cluster][headDim]. */
  centroids: Float64Array[];
  /** [cluster][headDim]; zero for an empty cluster. */
  valueMeans: Float64Array[];
  counts: number[];
  /** The cluster of each token, `noCluster` for excluded ones. */
  assignment: number[];
}

/** `keys` and `values` are [tokens][headDim]; the first `excluded` tokens belong to no cluster. */
export function clusterSegment(keys: readonly Float32Array[], values: readonly Float32Array[], excluded: number, clusters = keys.length / clusterTokens): SegmentClusters {
  const mean = meanOf(keys.slice(excluded));
  const centred = keys.map((key) => Float64Array.from(key, (x, i) => x - mean[i]));
  const centroids = Array.from({ length: clusters }, (_, cluster) => normalised(centred[startToken(cluster, keys.length, excluded, clusters)]));
  let assignment: number[] = [];
  for (let round = 1; round <= clusteringRounds; round++) {
    assignment = centred.map((key, token) => (token < excluded ? noCluster : nearest(key, centroids)));
    for (let cluster = 0; cluster < clusters; cluster++) {
      const members = centred.filter((_, token) => assignment[token] === cluster);
      if (members.length === 0) continue;
      centroids[cluster] = round < clusteringRounds ? normalised(meanOf(members)) : meanOf(members);
    }
  }
  const membersOf = (cluster: number): Float32Array[] => values.filter((_, token) => assignment[token] === cluster);
  return {
    centroids: centroids.map((centroid) => centroid.map((x, i) => x + mean[i])),
    valueMeans: centroids.map((centroid, cluster) => (membersOf(cluster).length > 0 ? meanOf(membersOf(cluster)) : new Float64Array(centroid.length))),
    counts: centroids.map((_, cluster) => membersOf(cluster).length),
    assignment,
  };
}

/** The token whose key is the first centroid of a cluster: the middle of its stride of the tokens that count. */
export function startToken(cluster: number, tokens: number, excluded: number, clusters = tokens / clusterTokens): number {
  return excluded + Math.floor(((2 * cluster + 1) * (tokens - excluded)) / (2 * clusters));
}

/** The cluster of largest inner product; the first of equals. */
export function nearest(key: ArrayLike<number>, centroids: readonly ArrayLike<number>[]): number {
  let best = 0;
  centroids.forEach((centroid, cluster) => {
    if (dot(key, centroid) > dot(key, centroids[best])) best = cluster;
  });
  return best;
}

/** Σ |key - mean of its cluster|² over the tokens of all clusters: what clustering keeps small. */
export function inertia(keys: readonly Float32Array[], assignment: readonly number[]): number {
  let total = 0;
  for (const cluster of new Set(assignment)) {
    if (cluster === noCluster) continue;
    const members = keys.filter((_, token) => assignment[token] === cluster);
    const mean = meanOf(members);
    for (const key of members) key.forEach((x, i) => (total += (x - mean[i]) ** 2));
  }
  return total;
}

export function meanOf(vectors: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i] += vector[i];
  return mean.map((sum) => sum / vectors.length);
}

/** The clusters' tokens that `selected` does not hold. `assignment` says the cluster of each token of a head. */
export function discount(counts: readonly number[], assignment: readonly number[], selected: readonly number[]): number[] {
  const remaining = [...counts];
  for (const token of selected) if (assignment[token] !== noCluster) remaining[assignment[token]]--;
  return remaining;
}

/**
 * Attention of a query (already scaled) over tokens that only their clusters represent: weight
 * remaining · e^(q·centroid), value = the cluster's mean value.
 */
export function estimate(
  query: ArrayLike<number>,
  centroids: readonly ArrayLike<number>[],
  valueMeans: readonly ArrayLike<number>[],
  remaining: readonly number[],
): Partial {
  const output = new Float64Array(query.length);
  const scores = centroids.map((centroid, cluster) => (remaining[cluster] > 0 ? dot(query, centroid) + Math.log(remaining[cluster]) : -Infinity));
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  if (highest === -Infinity) return { output, logSumExp: -Infinity };
  let total = 0;
  scores.forEach((score, cluster) => {
    const weight = Math.exp(score - highest);
    total += weight;
    for (let i = 0; i < output.length; i++) output[i] += weight * valueMeans[cluster][i];
  });
  return { output: output.map((x) => x / total), logSumExp: highest + Math.log(total) };
}

/** The score of each token for one query: that of its cluster, with log count when `sizeTerm`; -1e30 without a cluster. */
export function clusterScores(
  query: ArrayLike<number>,
  centroids: readonly ArrayLike<number>[],
  counts: readonly number[],
  assignment: readonly number[],
  sizeTerm: boolean,
): number[] {
  return assignment.map((cluster) => {
    if (cluster === noCluster) return -1e30;
    return dot(query, centroids[cluster]) + (sizeTerm ? Math.log(counts[cluster]) : 0);
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** A zero vector stays zero. */
function normalised(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((x) => x / length) : vector;
}
