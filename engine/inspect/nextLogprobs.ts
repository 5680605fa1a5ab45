/** What the rows of the last step say of given tokens. */
import type { Device } from '../device/device.ts';
import type { Readback } from '../device/readback.ts';
import { cancelled } from '../errors.ts';
import type { Runner } from '../runner.ts';
import { maxTailRows } from '../scratch.ts';
import { bindTokenLogprobs } from './tokenLogprobs.ts';

/** Log-probabilities, in nats, of `next[row]` after each row of the last step. Throws `cancelled`. */
export async function nextLogprobs({ device, runner, readback }: { device: Device; runner: Runner; readback: Readback }, next: readonly number[], signal?: AbortSignal): Promise<number[]> {
  const bound = await bindTokenLogprobs(device, { logits: runner.logits, vocabularySize: runner.spec.vocabularySize, tokens: next });
  try {
    for (let first = 0; first < next.length; first += maxTailRows) {
      if (signal?.aborted) throw cancelled();
      const rows = next.slice(first, first + maxTailRows).map((_, i) => first + i);
      const encoder = device.gpu.createCommandEncoder();
      runner.encodeHead(encoder, rows);
      const pass = encoder.beginComputePass({ label: 'log-probabilities' });
      bound.encode(pass, first, rows.length);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
      // A GPU is through with all of them in no time; where the processor computes, whoever stops does not wait for the rest.
      if (device.facts.kind === 'software') await device.finished();
    }
    return [...(await readback.floats(bound.logprobs, 0, next.length))];
  } finally {
    bound.free();
  }
}
