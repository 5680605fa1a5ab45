import { expect, test } from 'vitest';
import { seededRandom } from '../../formats/quantisation/testing/seededRandom.ts';
import { sinkTokens } from '../../retrieval/layout.ts';
import { attentionShare } from './attentionShare.ts';

const headDim = 4;

/** One KV head, whose far tokens after the sinks have these scores; the sinks and the ring weigh nothing unless said. */
function share(scores: readonly number[][], chosen: number[], ring = -1e30): ReturnType<typeof attentionShare> {
  const tokens = sinkTokens + scores[0].length;
  const heads = scores.length;
  const queries = new Float32Array(heads * headDim);
  const keys = new Float32Array(tokens * headDim);
  // Head h reads dimension h, so that its score is what the key has there.
  for (let head = 0; head < heads; head++) {
    queries[head * headDim + head] = 1;
    for (let token = 0; token < tokens; token++) keys[token * headDim + head] = token < sinkTokens ? -1e4 : scores[head][token - sinkTokens];
  }
  return attentionShare({ queries, heads, kvHeads: 1, headDim, keys: [keys], chosen: [Uint32Array.from(chosen, (token) => token + sinkTokens)], ringLogSumExps: new Float32Array(heads).fill(ring) });
}

test('the weight of the chosen tokens', () => {
  const scores = [1, 2, 5, 8].map(Math.log);
  expect(share([scores], [3])).toMatchObject({ mass: expect.closeTo(8 / 16, 6), recall: 1 });
  expect(share([scores], [0, 2])).toMatchObject({ mass: expect.closeTo(6 / 16, 6), recall: 0.5 });
  expect(share([scores], [0, 1, 2, 3]).mass).toBeCloseTo(1, 6);
});

test('the ring counts as attended exactly', () => {
  expect(share([[1, 3].map(Math.log)], [1], Math.log(4)).mass).toBeCloseTo(7 / 8, 6);
});

test('heads of a group share a choice, each with its own weights', () => {
  const first = [8, 1, 1].map(Math.log);
  const second = [1, 1, 18].map(Math.log);
  // Summed weights: .8 + .05, .1 + .05, .1 + .9.
  expect(share([first, second], [2])).toEqual({ mass: expect.closeTo((0.1 + 0.9) / 2, 6), recall: 1, headMass: [expect.closeTo(0.1, 6), expect.closeTo(0.9, 6)], headRecall: [1] });
  expect(share([first, second], [0]).recall).toBe(0);
});

test('huge scores, and many tokens of which the best were chosen', () => {
  const random = seededRandom(4);
  const scores = Array.from({ length: 500 }, () => 900 + 20 * random());
  const best = scores.map((score, token) => ({ score, token })).sort((a, b) => b.score - a.score).slice(0, 25).map(({ token }) => token);
  const { mass, recall } = share([scores], best);
  expect(recall).toBe(1);
  const top = best.reduce((sum, token) => sum + Math.exp(scores[token] - 920), 0);
  expect(mass).toBeCloseTo(top / scores.reduce((sum, score) => sum + Math.exp(score - 920), 0), 4);
});
