/** Speed of choosing a token: one line a vocabulary and setting. Bundle it with esbuild first, because of the WGSL imports. */
import { randomFloats } from '../../engine/layers/attention/testing.ts';
import { Sampler } from '../../engine/sampling/sampler.ts';
import { greedySettings, type SamplingSettings } from '../../engine/sampling/settings.ts';
import { openTestDevice, upload } from '../../engine/testing/device.ts';
import { best, line } from './measure.ts';

const device = await openTestDevice();
console.log(device.facts.name);
const settings: [string, SamplingSettings][] = [
  ['greedy', greedySettings],
  ['greedy, penalty', { ...greedySettings, repetitionPenalty: 1.1 }],
  ['temperature 0.8', { ...greedySettings, temperature: 0.8 }],
  ['top-k 40, top-p 0.95, temperature 0.8', { ...greedySettings, topK: 40, topP: 0.95, temperature: 0.8 }],
  ['top-p 0.9, temperature 0.8', { ...greedySettings, topP: 0.9, temperature: 0.8 }],
];
for (const vocabularySize of [49_152, 262_144]) {
  const started = performance.now();
  const sampler = await Sampler.create(device, { vocabularySize, maxContextTokens: 8192 });
  console.log(`pipelines in ${(performance.now() - started).toFixed(0)} ms`);
  // Peaked, as a model's logits are: most mass on some dozens of tokens.
  const logits = upload(device, randomFloats(vocabularySize, 1).map((x) => 4 + 2.5 * Math.sign(x) * Math.sqrt(-2 * Math.log(1 - Math.abs(x)))));
  const token = device.memory.storage('activations', 'token', 4);
  for (const [name, chosen] of settings) {
    sampler.begin(chosen);
    const timing = await best(device, (pass) => sampler.encode(pass, { logits, token }));
    console.log(line(`${vocabularySize} ${name}`, timing, vocabularySize * 4, 'GB/s'));
  }
  sampler.free();
}
process.exit(0);
