/** The recurrences as their papers write them, against the one that the kernel computes and against the chunked form. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { chunk, type ChunkRows } from './chunked.ts';
import { emptyState, scan } from './scan.ts';
import { byBlocks, byDoubling, bySubstitution } from './triangularInverse.ts';

const random = seededRandom(5);
const [keyDim, valueDim] = [6, 5];
const vector = (size: number, scale = 1): number[] => Array.from({ length: size }, () => scale * (2 * random() - 1));
const unit = (x: number[]): number[] => x.map((value) => value / Math.hypot(...x));
const matrix = (): number[][] => Array.from({ length: keyDim }, () => vector(valueDim));
const transposed = (s: number[][], x: number[]): number[] => s[0].map((_, v) => x.reduce((sum, value, c) => sum + value * s[c][v], 0));
const outer = (x: number[], y: number[]): number[][] => x.map((value) => y.map((other) => value * other));
const plus = (x: number[][], y: number[][], factor = 1): number[][] => x.map((row, c) => row.map((value, v) => value + factor * y[c][v]));
const rowsTimes = (x: number[], s: number[][]): number[][] => s.map((row, c) => row.map((value) => x[c] * value));
const times = (x: number[], y: number[]): number[] => x.map((value, i) => value * y[i]);

/** A token of a mechanism: its step as the paper has it, and the same in the terms of kernel and chunk. */
interface Token {
  step(state: number[][]): number[][];
  query: number[];
  key: number[];
  value: number[];
  logDecay: number[];
  strength: number;
  erase: boolean;
  erasers: { read: number[]; write: number[] } | null;
}

const full = (value: number): number[] => Array<number>(keyDim).fill(value);
const mechanisms: Record<string, () => Token> = {
  // arXiv 2412.06464
  'Gated DeltaNet'() {
    const [query, key, value, g, beta] = [vector(keyDim), unit(vector(keyDim)), vector(valueDim), -random(), random()];
    const step = (s: number[][]): number[][] => {
      const decayed = rowsTimes(full(Math.exp(g)), s);
      const held = transposed(decayed, key);
      return plus(decayed, outer(key, value.map((x, v) => beta * (x - held[v]))));
    };
    return { step, query, key, value: value.map((x) => beta * x), logDecay: full(g), strength: beta, erase: true, erasers: { read: key, write: key.map((x) => beta * x) } };
  },
  // arXiv 2510.26692
  'Kimi Delta Attention'() {
    const [query, key, value, g, beta] = [vector(keyDim), unit(vector(keyDim)), vector(valueDim), vector(keyDim).map((x) => -Math.abs(x)), random()];
    const step = (s: number[][]): number[][] => {
      const decayed = rowsTimes(g.map(Math.exp), s);
      const held = transposed(decayed, key);
      return plus(decayed, outer(key, value.map((x, v) => beta * (x - held[v]))));
    };
    return { step, query, key, value: value.map((x) => beta * x), logDecay: g, strength: beta, erase: true, erasers: { read: key, write: key.map((x) => beta * x) } };
  },
  'Gated DeltaNet-2'() {
    const [query, key, value, g] = [vector(keyDim), unit(vector(keyDim)), vector(valueDim), vector(keyDim).map((x) => -Math.abs(x))];
    const [b, w] = [vector(keyDim).map(Math.abs), vector(valueDim).map(Math.abs)];
    const step = (s: number[][]): number[][] => {
      const decayed = rowsTimes(g.map(Math.exp), s);
      const held = transposed(decayed, times(b, key));
      return plus(decayed, outer(key, times(w, value).map((x, v) => x - held[v])));
    };
    return { step, query, key, value: times(w, value), logDecay: g, strength: 1, erase: false, erasers: { read: times(b, key), write: key } };
  },
  // arXiv 2312.06635
  'gated linear attention'() {
    const [query, key, value, g] = [vector(keyDim), vector(keyDim), vector(valueDim), vector(keyDim).map((x) => -Math.abs(x))];
    const step = (s: number[][]): number[][] => plus(rowsTimes(g.map(Math.exp), s), outer(key, value));
    return { step, query, key, value, logDecay: g, strength: 1, erase: false, erasers: null };
  },
  // arXiv 2401.04658; one decay a head, fixed
  'lightning attention'() {
    const [query, key, value] = [vector(keyDim), vector(keyDim), vector(valueDim)];
    const step = (s: number[][]): number[][] => plus(rowsTimes(full(Math.exp(-0.3)), s), outer(key, value));
    return { step, query, key, value, logDecay: full(-0.3), strength: 1, erase: false, erasers: null };
  },
  // arXiv 2405.21060
  'Mamba-2'() {
    const [c, b, x, delta] = [vector(keyDim), vector(keyDim), vector(valueDim), random()];
    const step = (s: number[][]): number[][] => plus(rowsTimes(full(Math.exp(-1.5 * delta)), s), outer(b, x.map((value) => delta * value)));
    return { step, query: c, key: b, value: x.map((value) => delta * value), logDecay: full(-1.5 * delta), strength: delta, erase: false, erasers: null };
  },
  // arXiv 2503.14456: what is erased is read before the state decays
  'RWKV-7'() {
    const [r, key, value, kappa] = [vector(keyDim), vector(keyDim), vector(valueDim), unit(vector(keyDim))];
    const [w, a] = [vector(keyDim).map((x) => -0.6 * Math.abs(x)), vector(keyDim).map(Math.abs)];
    const step = (s: number[][]): number[][] => {
      const held = transposed(s, kappa);
      return plus(plus(rowsTimes(w.map(Math.exp), s), outer(times(kappa, a), held), -1), outer(key, value));
    };
    return { step, query: r, key, value, logDecay: w, strength: 1, erase: false, erasers: { read: kappa.map((x, c) => x * Math.exp(-w[c])), write: times(kappa, a) } };
  },
};

describe.each(Object.keys(mechanisms))('%s', (name) => {
  const rows = 19;
  const tokens = Array.from({ length: rows }, mechanisms[name]);
  const start = matrix();
  let state = start;
  const expected = tokens.map(({ step, query }) => {
    state = step(state);
    return transposed(state, query);
  });
  const difference = (actual: readonly number[][]): number => Math.max(...actual.flatMap((row, i) => row.map((value, v) => Math.abs(value - expected[i][v]))));

  test('the recurrence of the kernel is that of the paper', () => {
    const shape = { heads: 1, keyHeads: 1, keyDim, valueDim, stride: 2 * keyDim + valueDim, queryOffset: 0, keyOffset: keyDim, valueOffset: 2 * keyDim, keyHeadOrder: 'grouped' } as const;
    const { erase, erasers, strength } = tokens[0];
    const held = emptyState(shape);
    held.set(start.flat());
    const output = scan(
      { ...shape, erase: erase || (erasers ? 'vectors' : false) },
      tokens.flatMap((token) => [...token.query, ...token.key, ...token.value.map((x) => x / token.strength)]),
      tokens.flatMap((token) => [0, token.strength]),
      held,
      { decays: tokens.flatMap(({ logDecay }) => logDecay.map(Math.exp)), erasers: erase ? undefined : erasers ? tokens.flatMap((token) => [...(token.erasers?.read ?? []), ...(token.erasers?.write ?? [])]) : undefined },
    );
    expect(strength).toBeGreaterThan(0);
    expect(difference(expected.map((_, i) => [...output.subarray(i * valueDim, (i + 1) * valueDim)]))).toBeLessThan(1e-12);
  });

  test.each([1, 4, rows])('chunks of %i give the same', (size) => {
    const held = start.map((row) => [...row]);
    const actual: number[][] = [];
    for (let first = 0; first < rows; first += size) {
      const part = tokens.slice(first, first + size);
      const erasers = part[0].erasers ? { read: part.map((token) => token.erasers?.read ?? []), write: part.map((token) => token.erasers?.write ?? []) } : null;
      const chunkRows: ChunkRows = { queries: part.map(({ query }) => query), keys: part.map(({ key }) => key), values: part.map(({ value }) => value), logDecays: part.map(({ logDecay }) => logDecay), erasers };
      actual.push(...chunk(chunkRows, held));
    }
    expect(difference(actual)).toBeLessThan(1e-12);
  });
});

describe('the triangular inverse in single precision, 64 keys that resemble each other', () => {
  const size = 64;
  const dim = 128;

  /** Largest error of each way. */
  function errors(resemblance: number): { doubling: number; substitution: number; blocks: number } {
    const common = unit(vector(dim));
    const keys = Array.from({ length: size }, () => unit(unit(vector(dim)).map((x, i) => Math.sqrt(1 - resemblance) * x + Math.sqrt(resemblance) * common[i])));
    const a = new Float32Array(size * size);
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) a[i * size + j] = 0.98 * keys[i].reduce((sum, x, c) => sum + x * keys[j][c], 0);
    const exact = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      exact[i * size + i] = 1;
      for (let column = 0; column < i; column++) for (let j = column; j < i; j++) exact[i * size + column] -= a[i * size + j] * exact[j * size + column];
    }
    const largest = (inverse: Float32Array): number => inverse.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i])), 0);
    return { doubling: largest(byDoubling(a, size)), substitution: largest(bySubstitution(a, size)), blocks: largest(byBlocks(a, size)) };
  }

  test.each([
    { resemblance: 0, doubling: [0, 1e-5] },
    { resemblance: 0.5, doubling: [1, 1e6] },
    { resemblance: 0.9, doubling: [1e5, 1e11] },
    { resemblance: 0.99, doubling: [1e6, 1e13] },
  ])('correlation $resemblance: doubling loses everything, substitution and blocks nothing', ({ resemblance, doubling: [least, most] }) => {
    const { doubling, substitution, blocks } = errors(resemblance);
    console.log(`correlation ${resemblance}: doubling ${doubling.toExponential(0)}, substitution ${substitution.toExponential(0)}, blocks ${blocks.toExponential(0)}`);
    expect(substitution).toBeLessThan(1e-6);
    expect(blocks).toBeLessThan(1e-6);
    expect(doubling).toBeGreaterThanOrEqual(least);
    expect(doubling).toBeLessThan(most);
  });
});
