/**
 * How much sooner the first token of an answer comes from a memory than from reading again, and whether the logits are
 * the same, bit by bit:
 *
 *     node dist/bench/reopen.js --model FILE --text FILE [--tokens 6000] [--kv-gpu BYTES] [--out FILE.jsonl]
 *
 * With --kv-gpu what does not fit that many bytes of GPU memory lies in RAM and on disk. One JSON line; exit status 1
 * when the logits differ.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultKvSetting } from '../host/contract/policy.ts';
import { ActiveModel } from '../host/gpu-worker/activeModel.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { ChoiceFile } from '../host/gpu-worker/choiceFile.ts';
import type { JobContext } from '../host/gpu-worker/gpuWorker.ts';
import { WorkerMemories } from '../host/gpu-worker/memories.ts';
import { readPrompt } from '../host/gpu-worker/readPrompt.ts';
import { composeChat } from '../host/gpu-worker/readSoFar.ts';

const question = 'Who is this about?';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { model: { type: 'string' }, text: { type: 'string' }, tokens: { type: 'string' }, 'kv-gpu': { type: 'string' }, out: { type: 'string' } } });
  if (!values.model || !values.text) throw new Error('--model and --text are needed');
  const gpuBytes = values['kv-gpu'] ? Number(values['kv-gpu']) : null;
  const device = await openAdapter({ boundsChecks: false });
  const folder = mkdtempSync(join(tmpdir(), 'longleaf-reopen-'));
  /** When the prompt's rest is about to be read: what was kept is back. */
  let restoredMs = 0;
  const progress = (): void => {
    if (restoredMs === 0) restoredMs = performance.now();
  };
  const context = (memories: WorkerMemories): JobContext => ({ jobId: 'reopen', device, signal: new AbortController().signal, send: () => undefined, memories, progress });
  try {
    const first = new WorkerMemories();
    const kv = { ...defaultKvSetting, gpuBytes, offload: gpuBytes === null ? ('needed' as const) : ('always' as const) };
    const wantedTokens = Number(values.tokens ?? 6000);
    const model = await ActiveModel.load(device, { path: values.model, contextTokens: wantedTokens + 512, kv }, { choices: new ChoiceFile(folder, device.facts), spillFolder: folder }, context(first));
    const textPath = join(folder, 'text.txt');
    // Whole words of about as many tokens.
    const pieces = model.tokenizer.encode(readFileSync(values.text, 'utf8')).slice(0, wantedTokens);
    const decoder = model.tokenizer.createStreamDecoder();
    writeFileSync(textPath, pieces.map((token) => decoder.push(token)).join(''));
    const { composed, documents } = await composeChat(model, { kind: 'chat', documents: [{ id: 'text', name: basename(values.text), textPath }], system: '', history: [], question }, undefined, new WorkerMemories());
    const prompt = { tokens: composed.tokens, documents };
    const keeping = { folder: join(folder, 'memories'), modelName: model.description.name, conversation: null };
    const logits = (): Promise<Float32Array> => model.readback.floats(model.loaded.runner.logits, 0, model.loaded.spec.vocabularySize);
    const timed = async (memories: WorkerMemories): Promise<{ ms: number; restoringMs: number; logits: Float32Array; keptTokens: number }> => {
      const started = performance.now();
      restoredMs = 0;
      const { keptTokens } = await readPrompt(model, prompt, { keeping, mustKeep: true, context: context(memories) });
      const computed = await logits();
      return { ms: performance.now() - started, restoringMs: restoredMs - started, logits: computed, keptTokens };
    };
    // Warm: pipelines are compiled by the first steps of any kind.
    await readPrompt(model, { ...prompt, documents: [], tokens: prompt.tokens.slice(0, 200) }, { keeping: undefined, mustKeep: false, context: context(first) });
    await model.forget();
    const read = await timed(first);
    const streamed = model.loaded.runner.far ? { ...model.loaded.runner.far.windows.total } : null;
    await model.forget();
    await first.close();
    const second = new WorkerMemories();
    const reopened = await timed(second);
    await model.endKeeping();
    const { usedBytes } = await (await second.store(keeping.folder)).usage();
    await second.close();
    const different = read.logits.reduce((count, value, i) => count + (value === reopened.logits[i] ? 0 : 1), 0);
    const line = {
      what: 'reopen',
      adapter: device.facts.shortName,
      model: basename(values.model),
      promptTokens: prompt.tokens.length,
      keptTokens: reopened.keptTokens,
      beyondGpuTokens: model.loaded.runner.far?.sealed ?? 0,
      memoryBytes: usedBytes,
      readingMs: read.ms,
      reopeningMs: reopened.ms,
      /** Of it until everything is back; the rest computes the question. */
      restoringMs: reopened.restoringMs,
      ratio: read.ms / reopened.ms,
      /** On their way to the GPU while reading: bytes, how long one thread filled buffers, how long a window was waited for. */
      streamed,
      differentLogits: different,
    };
    console.log(JSON.stringify(line));
    if (values.out) appendFileSync(values.out, `${JSON.stringify(line)}\n`);
    if (different > 0 || reopened.keptTokens === 0) process.exitCode = 1;
    model.free();
  } finally {
    rmSync(folder, { recursive: true, force: true });
    device.destroy();
  }
}

await main();
// The adapter's threads would keep the process.
process.exit();
