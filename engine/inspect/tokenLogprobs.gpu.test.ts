import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../device/device.ts';
import { Readback } from '../device/readback.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { logprobsOf } from '../sampling/logprobs.ts';
import { openTestDevice } from '../testing/device.ts';
import { bindTokenLogprobs } from './tokenLogprobs.ts';

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

test.each([1, 2, 3, 4, 5, 6])('log-probabilities of given tokens are those of the reference, seed %i', async (seed) => {
  const random = seededRandom(seed);
  const vocabularySize = [1, 7, 255, 257, 4099, 49_152][seed - 1];
  const spread = [1, 1e4, 300, 20, 1, 8][seed - 1];
  const rowsAtOnce = 3;
  const tokens = Array.from({ length: 7 }, () => Math.floor(random() * vocabularySize));
  // Also the likeliest of a row, and one of many that are equal.
  const rows = tokens.map((token, row) => Float32Array.from({ length: vocabularySize }, (_, one) => (row === 5 ? 3 : row === 6 && one === token ? 2 * spread : spread * (2 * random() - 1))));
  const logits = device.memory.storage('activations', 'logits', 4 * rowsAtOnce * vocabularySize);
  const readback = new Readback(device);
  const bound = await bindTokenLogprobs(device, { logits, vocabularySize, tokens });
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    const batch = rows.slice(first, first + rowsAtOnce);
    for (const [i, row] of batch.entries()) device.gpu.queue.writeBuffer(logits, 4 * i * vocabularySize, row);
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    bound.encode(pass, first, batch.length);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
  }
  const found = await readback.floats(bound.logprobs, 0, tokens.length);
  for (const [row, token] of tokens.entries()) {
    const { logprob } = logprobsOf(rows[row], token, 0);
    expect(Math.abs(found[row] - logprob)).toBeLessThan(1e-4 * Math.max(1, Math.abs(logprob)));
  }
  bound.free();
  readback.free();
  device.memory.free(logits);
});
