/** What the rows of the last step say of given tokens. */
import type { Device } from '../device/device.ts';
import type { Readback } from '../device/readback.ts';
import type { Runner } from '../runner.ts';
import { maxTailRows } from '../scratch.ts';

/** Log-probabilities, in nats, of `next[row]` after each row of the last step. */
export async function nextLogprobs({ device, runner, readback }: { device: Device; runner: Runner; readback: Readback }, rows: number, next: readonly number[]): Promise<number[]> {
  const { vocabularySize } = runner.spec;
  const logprobs: number[] = [];
  for (let first = 0; first < rows; first += maxTailRows) {
    const batch = Array.from({ length: Math.min(maxTailRows, rows - first) }, (_, i) => first + i);
    const encoder = device.gpu.createCommandEncoder();
    runner.encodeHead(encoder, batch);
    device.gpu.queue.submit([encoder.finish()]);
    const logits = await readback.floats(runner.logits, 0, batch.length * vocabularySize);
    for (const [index, row] of batch.entries()) logprobs.push(logprobOf(logits.subarray(index * vocabularySize, (index + 1) * vocabularySize), next[row]));
  }
  return logprobs;
}

function logprobOf(logits: Float32Array, token: number): number {
  let maximum = -Infinity;
  for (const logit of logits) maximum = Math.max(maximum, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - maximum);
  return logits[token] - maximum - Math.log(sum);
}
