/** What searches found, by method, kind of query and most keys scored. */
import { recall } from '../../engine/reference/retrieval/graph.ts';

export interface TestQuery {
  /** Of tokens of the prompt that made no graph, of decoded ones, and keys themselves, as if they asked. */
  kind: 'prefill' | 'decode' | 'keys';
  /** [dim]. */
  query: Float32Array;
  /** Exact scores of all keys, and the keys that are wanted, best first. */
  scores: Float64Array;
  truth: readonly number[];
}

interface Tally {
  method: string;
  queries: TestQuery['kind'];
  /** Share of the keys a search may score; null where the method decides. */
  scoredAtMost: number | null;
  recall: number;
  mass: number;
  scored: number;
  ms: number;
  searches: number;
}

export class Tallies {
  readonly #all = new Map<string, Tally>();
  readonly #costs = new Map<string, object>();

  /** Counts a search that found keys, best first, after scoring `scored` keys exactly. */
  note(method: string, scoredAtMost: number | null, { kind, scores, truth }: TestQuery, { keys, scored, ms = Number.NaN }: { keys: readonly number[]; scored: number; ms?: number }): void {
    const name = `${method} ${scoredAtMost} ${kind}`;
    const tally = this.#all.get(name) ?? { method, queries: kind, scoredAtMost, recall: 0, mass: 0, scored: 0, ms: 0, searches: 0 };
    this.#all.set(name, tally);
    tally.recall += recall(truth, keys);
    tally.mass += attentionMass(scores, truth, keys);
    tally.scored += scored / scores.length;
    tally.ms += ms;
    tally.searches++;
  }

  /** Says what an index costs beside all its tallies. */
  setCosts(method: string, costs: object): void {
    this.#costs.set(method, costs);
  }

  lines(): object[] {
    return [...this.#all.values()].map(({ method, queries, scoredAtMost, recall: share, mass, scored, ms, searches }) => ({
      method,
      queries,
      scoredAtMost,
      recall: share / searches,
      massOfWanted: mass / searches,
      scoredShare: scored / searches,
      ...(Number.isNaN(ms) ? {} : { msPerSearch: ms / searches }),
      searches,
      ...this.#costs.get(method),
    }));
  }
}

/** Attention on what was found of the wanted keys, as a share of that on all of these. */
function attentionMass(scores: Float64Array, truth: readonly number[], found: readonly number[]): number {
  const wanted = new Set(truth);
  const weight = (key: number): number => Math.exp(scores[key] - scores[truth[0]]);
  const sum = (keys: readonly number[]): number => keys.reduce((total, key) => total + weight(key), 0);
  return sum(found.filter((key) => wanted.has(key))) / sum(truth);
}
