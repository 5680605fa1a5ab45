/**
 * How much of full attention a policy attends to exactly: for the queries of a step, the share of the softmax's weight
 * over all keys that falls on the ring, the sinks and the chosen tokens; and how many of the best tokens were chosen.
 * Computed on the CPU from the stored keys, so only for a few steps at a time.
 */
import type { Readback } from '../../device/readback.ts';
import { halfToFloat } from '../../formats/half.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import type { FarContext } from './farContext.ts';
import type { FarLayer } from './farLayer.ts';
import { decodeRecord, type FarFormat, recordWords } from './record.ts';

export interface AttentionShare {
  /** Mean over the query heads of the weight on keys attended exactly. */
  mass: number;
  /** Mean over the KV heads of the share of as many best tokens, by the weights summed over the group, that were chosen. */
  recall: number;
  /** The same for each query head, and for each KV head. */
  headMass: number[];
  headRecall: number[];
}

/** Of a KV head: each token's share of full attention, a mean over the group's heads, and the tokens that were chosen. */
export type TokenListener = (kvHead: number, weights: Float64Array, chosen: Uint32Array) => void;

export interface ShareInputs {
  /** [heads][headDim], scaled. */
  queries: Float32Array;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** For each KV head [tokens][headDim]: everything far, the sinks first. */
  keys: readonly Float32Array[];
  /** For each KV head, the far tokens that were chosen. */
  chosen: readonly Uint32Array[];
  /** For each head, the log-sum-exp of its scores over the ring. */
  ringLogSumExps: Float32Array;
  onTokens?: TokenListener;
}

export function attentionShare({ queries, heads, kvHeads, headDim, keys, chosen, ringLogSumExps, onTokens }: ShareInputs): AttentionShare {
  const group = heads / kvHeads;
  const headMass: number[] = [];
  const headRecall: number[] = [];
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const tokens = keys[kvHead].length / headDim;
    const summed = new Float64Array(tokens);
    const shares = onTokens && new Float64Array(tokens);
    for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
      const weights = scoresOf(queries.subarray(head * headDim, (head + 1) * headDim), keys[kvHead]);
      const maximum = weights.reduce((most, score) => Math.max(most, score), ringLogSumExps[head]);
      const ring = Math.exp(ringLogSumExps[head] - maximum);
      let total = ring;
      let exact = ring;
      let chosable = 0;
      for (let token = 0; token < tokens; token++) {
        weights[token] = Math.exp(weights[token] - maximum);
        total += weights[token];
        if (token < sinkTokens) exact += weights[token];
        else chosable += weights[token];
      }
      for (const token of chosen[kvHead]) exact += weights[token];
      headMass.push(exact / total);
      for (let token = sinkTokens; token < tokens; token++) summed[token] += weights[token] / chosable;
      if (shares) for (let token = 0; token < tokens; token++) shares[token] += weights[token] / total / group;
    }
    headRecall.push(recallOf(summed, chosen[kvHead]));
    if (shares) onTokens?.(kvHead, shares, chosen[kvHead]);
  }
  return { mass: mean(headMass), recall: mean(headRecall), headMass, headRecall };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function scoresOf(query: Float32Array, keys: Float32Array): Float64Array {
  const { length } = query;
  const scores = new Float64Array(keys.length / length);
  for (let token = 0, at = 0; token < scores.length; token++) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += query[i] * keys[at++];
    scores[token] = sum;
  }
  return scores;
}

/** Of the best tokens, as many as were chosen: how many of them were. */
function recallOf(weights: Float64Array, chosen: Uint32Array): number {
  if (chosen.length === 0) return 0;
  const least = weights.slice(sinkTokens).sort()[weights.length - sinkTokens - chosen.length];
  return chosen.reduce((found, token) => found + Number(weights[token] >= least), 0) / chosen.length;
}

/** Measures every `everySteps`-th decoding step that chooses among far tokens, while it is the context's observer. */
export class AttentionShareMeter {
  readonly #readback: Readback;
  readonly #context: FarContext;
  readonly #everySteps: number;
  readonly #onTokens: TokenListener | undefined;
  readonly #shares: AttentionShare[] = [];
  #step = -1;
  /** What measuring took, which is not the step's own time. */
  spentMs = 0;

  constructor(readback: Readback, context: FarContext, everySteps: number, onTokens?: TokenListener) {
    this.#readback = readback;
    this.#context = context;
    this.#everySteps = everySteps;
    this.#onTokens = onTokens;
  }

  /** Mean over the measured layers and steps; null when nothing was. */
  get mean(): Pick<AttentionShare, 'mass' | 'recall'> | null {
    if (this.#shares.length === 0) return null;
    return { mass: mean(this.#shares.map((share) => share.mass)), recall: mean(this.#shares.map((share) => share.recall)) };
  }

  /** After a layer has chosen and its ring was attended to, before the next layer; null in steps that are not measured. */
  async observe(layer: FarLayer): Promise<AttentionShare | null> {
    if (layer.index === 0) this.#step++;
    if (this.#step % this.#everySteps !== 0) return null;
    const startMs = performance.now();
    const { plan, scratch, store, sealed } = this.#context;
    const { heads, kvHeads, headDim } = plan.layout;
    const queries = await this.#readback.floats(layer.queries, 0, heads * headDim);
    const ringSplits = scratch.splits(1).ring;
    const ring = await this.#readback.floats(scratch.partials.logSumExps, 0, ringSplits * heads);
    const chosen = await (this.#context.rolls ? this.#held(layer) : this.#selected());
    await this.#context.settled();
    const words = new Uint32Array(kvHeads * sealed * this.#context.words);
    await store.range(layer.index, 0, 0, sealed, words, sealed);
    const perHead = <T>(of: (kvHead: number) => T): T[] => Array.from({ length: kvHeads }, (_, kvHead) => of(kvHead));
    const share = attentionShare({
      queries,
      heads,
      kvHeads,
      headDim,
      keys: perHead((kvHead) => decodeKeys(words.subarray(kvHead * sealed * this.#context.words, (kvHead + 1) * sealed * this.#context.words), plan.format, headDim)),
      chosen,
      ringLogSumExps: Float32Array.from({ length: heads }, (_, head) => logSumExp(Array.from({ length: ringSplits }, (_split, split) => ring[split * heads + head]))),
      onTokens: this.#onTokens,
    });
    this.#shares.push(share);
    this.spentMs += performance.now() - startMs;
    return share;
  }

  /** For each KV head, the tokens of the last selection. */
  async #selected(): Promise<Uint32Array[]> {
    const { counts, tokens, maxSelected } = this.#context.scratch.selection;
    const { kvHeads } = this.#context.plan.layout;
    const lengths = await this.#readback.words(counts, 0, kvHeads);
    const all = await this.#readback.words(tokens, 0, kvHeads * maxSelected);
    return Array.from(lengths, (length, kvHead) => all.subarray(kvHead * maxSelected, kvHead * maxSelected + length));
  }

  /** For each KV head, the far tokens in slots that have a weight. */
  async #held({ memory: { table } }: FarLayer): Promise<Uint32Array[]> {
    const { layout, slots } = this.#context.plan;
    const weights = await this.#readback.words(table.weights, 0, layout.kvHeads * slots);
    const entries = await this.#readback.words(table.slots, 0, 2 * layout.kvHeads * slots);
    return Array.from({ length: layout.kvHeads }, (_, kvHead) => {
      const places = Array.from({ length: slots - sinkTokens }, (_place, slot) => kvHead * slots + sinkTokens + slot);
      return Uint32Array.from(places.filter((place) => weights[place] > 0), (place) => entries[2 * place] - 1);
    });
  }
}

let halves: Float32Array | null = null;

function decodeKeys(words: Uint32Array, format: FarFormat, headDim: number): Float32Array {
  if (format === 'f16') {
    const table = (halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToFloat(bits)));
    const halfWords = new Uint16Array(words.buffer, words.byteOffset, 2 * words.length);
    const keys = new Float32Array(halfWords.length);
    for (let i = 0; i < keys.length; i++) keys[i] = table[halfWords[i]];
    return keys;
  }
  const vectorWords = recordWords(format, headDim);
  const keys = new Float32Array((words.length / vectorWords) * headDim);
  for (let token = 0; token * vectorWords < words.length; token++) keys.set(decodeRecord(format, words, token * vectorWords, headDim), token * headDim);
  return keys;
}

function logSumExp(values: readonly number[]): number {
  const maximum = Math.max(...values);
  return maximum + Math.log(values.reduce((sum, value) => sum + Math.exp(value - maximum), 0));
}
