/** Dawn's bounds checks, by device: that they check, and that a worker changes its device when a model wants them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { Readback } from '../../engine/device/readback.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { defaultSampling } from '../contract/entities.ts';
import { defaultKvSetting } from '../contract/policy.ts';
import { buildWorker, startWorker } from '../testing/builtWorker.ts';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { openAdapter } from './adapter.ts';
import { generateResult } from './protocol.ts';

const bindingBytes = 256;
const strayWord = 100;
const mark = 7;
const writesPastItsBinding = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@compute @workgroup_size(1)
fn main() {
  words[places[0]] = ${mark}u;
}`;

/** What lies behind a binding after a kernel wrote there, and whether the adapter itself looks after bindings. */
async function wordPastBinding(boundsChecks: boolean): Promise<{ word: number; adapterChecks: boolean }> {
  const device = await openAdapter({ boundsChecks });
  const words = device.memory.storage('activations', 'words', 2 * bindingBytes);
  const places = device.memory.storage('activations', 'places', 16);
  device.gpu.queue.writeBuffer(places, 0, Uint32Array.of(strayWord));
  const kernel = await device.kernels.get({ label: 'stray', texts: [writesPastItsBinding] });
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, kernel.bind({ buffer: words, size: bindingBytes }, places));
  pass.dispatchWorkgroups(1);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const [word] = await new Readback(device).words(words, strayWord, 1);
  device.destroy();
  return { word, adapterChecks: /llvmpipe/.test(device.facts.name) };
}

test('a write that misses its binding lands nowhere with the checks, and behind it without them', async () => {
  expect((await wordPastBinding(true)).word).toBe(0);
  const { word, adapterChecks } = await wordPastBinding(false);
  expect(word).toBe(adapterChecks ? 0 : mark);
});

test('the worker has the device that the model wants, and says so; the answers are the same', async () => {
  const worker = await startWorker(buildWorker(), { LONGLEAF_CACHE: temporaryFolder() });
  onTestFinished(() => worker.process.quit(4000));
  const path = join(temporaryFolder(), 'tiny.gguf');
  writeFileSync(path, tinyModel({ architecture: 'llama', layers: 2 }));
  const report = z.object({ boundsChecks: z.enum(['on', 'off']), memory: z.object({ weightsBytes: z.number() }) });
  const answers: string[] = [];
  for (const boundsChecks of [true, false, true]) {
    await worker.process.run({ kind: 'load', path, contextTokens: 256, kv: defaultKvSetting, boundsChecks });
    const { boundsChecks: said, memory } = report.parse(await worker.process.run({ kind: 'doctor' }));
    expect(said).toBe(boundsChecks ? 'on' : 'off');
    expect(memory.weightsBytes).toBeGreaterThan(0);
    const request = { kind: 'generate' as const, prompt: { kind: 'raw' as const, text: 'The quick brown fox' }, sampling: { ...defaultSampling, temperature: 0, maxTokens: 20 }, stop: [] };
    answers.push(generateResult.parse(await worker.process.run(request)).text);
  }
  expect(new Set(answers).size).toBe(1);
  expect(worker.losses).toEqual([]);
});
