/** What a model thought of a token and of the likeliest others: log probabilities in nats, of the logits as they are. */

export interface TokenLogprob {
  token: number;
  logprob: number;
}

/**
 * The log probability of `token` and the `count` likeliest tokens, likeliest first, equal ones by ascending id.
 * Temperature, top-k, top-p, min-p and penalties are left out: this is what the model says, not how it is drawn from.
 */
export function logprobsOf(logits: Float32Array, token: number, count: number): { logprob: number; top: TokenLogprob[] } {
  const total = logSumExp(logits);
  const best: number[] = [];
  for (let candidate = 0; candidate < logits.length; candidate++) {
    if (best.length === count && (count === 0 || logits[candidate] <= logits[best[count - 1]])) continue;
    if (best.length === count) best.pop();
    let place = best.length;
    while (place > 0 && logits[best[place - 1]] < logits[candidate]) place--;
    best.splice(place, 0, candidate);
  }
  return { logprob: logits[token] - total, top: best.map((likely) => ({ token: likely, logprob: logits[likely] - total })) };
}

function logSumExp(logits: Float32Array): number {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return highest + Math.log(sum);
}
