/**
 * Reads more than the GPU's budget holds with a real model file and tells how fast: one JSON line a stretch of the
 * text, then one with the memory by owner and a few decoding steps. The ledger throws when the budget is passed.
 *
 *     node dist/bench/longRead.js --model M.gguf --tokens 131072 [--gpu-share 0.25] [--format f16] [--every 8192]
 *       [--ram BYTES --disk FOLDER] [--seconds N] [--policy sketch --budget 2%] [--chunk ROWS] [--sparse-reading 25%@65536] [--out FILE.jsonl]
 */
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { isCancelled } from '../host/errors.ts';
import { defaultPolicy, type PolicyName } from '../engine/kv/tiers/policy.ts';
import { loadModel } from '../engine/model.ts';
import { kvBytes } from '../engine/models/spec.ts';
import { benchTokens } from '../host/benchTokens.ts';
import { readSparseReading } from '../host/cli/options.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { SpillFolder } from '../host/gpu-worker/spillFolder.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { describeModel } from '../engine/models/registry.ts';
import { readGguf } from '../engine/formats/gguf/readGguf.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    tokens: { type: 'string', default: '131072' },
    'gpu-share': { type: 'string', default: '0.25' },
    format: { type: 'string', default: 'f16' },
    every: { type: 'string', default: '8192' },
    ram: { type: 'string' },
    disk: { type: 'string' },
    seconds: { type: 'string', default: '86400' },
    policy: { type: 'string', default: 'sketch' },
    budget: { type: 'string', default: '2%' },
    chunk: { type: 'string' },
    'sparse-reading': { type: 'string', default: 'off' },
    decode: { type: 'string', default: '8' },
    out: { type: 'string' },
  },
});
if (!values.model) throw new Error('--model is needed');
const contextTokens = Number(values.tokens);
const every = Number(values.every);
const format = values.format === 'q8' ? 'q8' : 'f16';

function tell(line: object): void {
  const text = JSON.stringify({ bench: 'longRead', ...line });
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}

const device = await openAdapter({ boundsChecks: false });
const source = await FileWeightSource.open(values.model);
const spec = describeModel(await readGguf(source, {}));
const halfBytes = kvBytes(spec, contextTokens, 2, 0);
const gpuBudgetBytes = Math.floor(Number(values['gpu-share']) * halfBytes.full);
const disk = values.disk ? new SpillFolder(values.disk) : null;
const model = await loadModel(device, source, {
  contextTokens,
  kvBudgetBytes: Infinity,
  choices: new Map(),
  sparseReading: readSparseReading(values['sparse-reading']),
  tiers: { gpuBudgetBytes, ramBudgetBytes: Number(values.ram ?? Infinity), format, disk, offload: 'always' },
});
const far = model.runner.far;
if (!far) throw new Error('the model has no layers whose keys could be offloaded');
// From here on nothing more may be taken for keys, values and index.
device.memory.limit('kv', device.memory.report().kvBytes);
const { maxRows, maxChunkRows } = model.runner;
tell({ model: basename(values.model), adapter: device.facts.name, contextTokens, gpuBudgetBytes, fullBytes: halfBytes.full, format, maxRows, maxChunkRows, plan: far.plan, gpuBytes: device.memory.report() });

const tokens = benchTokens(contextTokens - Number(values.decode) - 1, spec.vocabularySize);
const deadline = AbortSignal.timeout(1000 * Number(values.seconds));
const startMs = performance.now();
let stretch = { startMs, tokens: 0, chunks: 0, upload: { ...far.windows.total } };
try {
  await model.sequence.extend(tokens, {
    signal: deadline,
    sparseBefore: tokens.length,
    chunkTokens: values.chunk ? Number(values.chunk) : undefined,
    onChunk: async (first, rows) => {
      stretch.chunks++;
      const length = first + rows;
      if (length - stretch.tokens < every && length < tokens.length) return;
      const nowMs = performance.now();
      const elapsedMs = nowMs - stretch.startMs;
      const { total } = far.windows;
      const upload = { bytes: total.bytes - stretch.upload.bytes, ms: total.ms - stretch.upload.ms, waitedMs: total.waitedMs - stretch.upload.waitedMs };
      tell({
        length,
        tokensPerSecond: (1000 * (length - stretch.tokens)) / elapsedMs,
        chunkRows: (length - stretch.tokens) / stretch.chunks,
        // Most of it runs beside the GPU's work; the second is what may have kept it waiting.
        uploadShare: upload.ms / elapsedMs,
        waitedShare: upload.waitedMs / elapsedMs,
        uploadGigabytes: upload.bytes / 1e9,
        uploadGigabytesPerSecond: upload.bytes / 1e6 / upload.ms,
        seconds: (nowMs - startMs) / 1000,
      });
      stretch = { startMs: nowMs, tokens: length, chunks: 0, upload: { ...total } };
    },
  });
} catch (error) {
  if (!isCancelled(error)) throw error;
}
const seconds = (performance.now() - startMs) / 1000;
const percent = /^([\d.]+)%$/.exec(values.budget);
far.policy = { ...defaultPolicy, name: values.policy as PolicyName, budget: percent ? { share: Number(percent[1]) / 100 } : { tokens: Number(values.budget) } };
const stepMs: number[] = [];
const stream = tokens.slice(0, model.sequence.length);
for (let step = 0; step < Number(values.decode); step++) {
  stream.push(1 + step);
  const stepStartMs = performance.now();
  await model.sequence.extend(stream, { asDecoding: true });
  stepMs.push(performance.now() - stepStartMs);
}
await far.settled();
tell({
  done: true,
  readTokens: tokens.length,
  length: model.sequence.length,
  seconds,
  tokensPerSecond: model.sequence.length / seconds,
  decodeStepMs: stepMs,
  gpuBytes: device.memory.report(),
  outside: far.store.bytes,
  sparselyRead: model.runner.takeReadingTally(),
});
disk?.removeAll();
process.exit(0);
