/**
 * Keys of known answers among noise, for queries that lie far from all keys: what a query asks for is one planted key,
 * which exact attention gives nearly all its weight, while by distance other keys are as near.
 */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';

export interface Needle {
  layer: number;
  kvHead: number;
  position: number;
  /** Of the direction that its key stands out in. */
  direction: Float32Array;
  value: Float32Array;
}

/** Length of the mean key: keys share it, as those of real models do. */
const meanLength = 4;
/** Queries point away from the mean, and at what they ask for. */
const awayLength = 1.5;
const askLength = 5;
/** A planted key's score above the highest that the noise is likely to have in any question: its weight is then 0.98. */
const margin = 4;
/** Cosine of two needles of a head, at most: where two point alike, a query for one of them asks for both. */
const mostAlike = 0.3;

export class Needles {
  readonly all: Needle[] = [];
  /** Of a layer and head: their mean key. */
  readonly #means = new Map<string, Float32Array>();
  readonly #random: () => number;
  readonly #headDim: number;
  /** How far a planted key stands out: a needle that exact attention would miss proves nothing. */
  readonly #standOut: number;

  /** `questions` of them are asked in all, each among at most `tokens` keys. */
  constructor({ seed, headDim, tokens, questions }: { seed: number; headDim: number; tokens: number; questions: number }) {
    this.#random = seededRandom(seed);
    this.#headDim = headDim;
    // Scores of the noise are normally distributed; of n of them, √(2·ln n) deviations are about the highest.
    const highest = Math.hypot(askLength, awayLength) * Math.sqrt(2 * Math.log(tokens * questions));
    this.#standOut = (highest + margin) / askLength;
  }

  mean(layer: number, kvHead: number): Float32Array {
    const key = `${layer} ${kvHead}`;
    let mean = this.#means.get(key);
    if (!mean) this.#means.set(key, (mean = this.#unit(meanLength)));
    return mean;
  }

  plant(layer: number, kvHead: number, position: number): void {
    const value = Float32Array.from({ length: this.#headDim }, () => (this.#random() < 0.5 ? -3 : 3));
    const others = this.all.filter((needle) => needle.layer === layer && needle.kvHead === kvHead);
    let direction: Float32Array;
    do direction = without(this.#unit(1), this.mean(layer, kvHead));
    while (others.some((other) => dot(other.direction, direction) > mostAlike));
    this.all.push({ layer, kvHead, position, direction, value });
  }

  /** A key of the noise, moved along the needle's direction; what its own noise adds to the answer is taken out. */
  keyOf(needle: Needle): Float32Array {
    const { layer, kvHead, direction } = needle;
    const mean = this.mean(layer, kvHead);
    const noise = without(direction.map(() => this.#normal()), this.queryFor(needle), { keepLength: true });
    return Float32Array.from(direction, (component, i) => mean[i] + noise[i] + this.#standOut * component);
  }

  /** Asks for the needle; scaled as queries are. */
  queryFor({ layer, kvHead, direction }: Needle): Float32Array {
    const mean = this.mean(layer, kvHead);
    return Float32Array.from(direction, (component, i) => askLength * component - (awayLength / meanLength) * mean[i]);
  }

  /** 1 when the output is the needle's value, near 0 when it is anything else. */
  found({ value }: Needle, output: Float32Array): number {
    let product = 0;
    for (let i = 0; i < value.length; i++) product += value[i] * output[i];
    return product / (9 * value.length);
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }

  #unit(length: number): Float32Array {
    const vector = Float32Array.from({ length: this.#headDim }, () => this.#normal());
    const norm = Math.hypot(...vector);
    return vector.map((component) => (component * length) / norm);
  }
}

/** The part of a vector that is orthogonal to another one; of length 1 unless it is to keep its own. */
function without(vector: Float32Array, other: Float32Array, { keepLength = false } = {}): Float32Array {
  const share = dot(vector, other) / dot(other, other);
  const rest = vector.map((component, i) => component - share * other[i]);
  const norm = keepLength ? 1 : Math.sqrt(dot(rest, rest));
  return rest.map((component) => component / norm);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, component, i) => sum + component * b[i], 0);
}
