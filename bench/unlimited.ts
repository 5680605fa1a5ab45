/**
 * Every policy with an unlimited budget against the policy `full`: the same greedy tokens, on real models and documents,
 * with keys and values beyond the GPU.
 *
 *     node dist/bench/unlimited.js --model FILE --text FILE [--text FILE …] [--tokens 2000] [--answer 200] [--policies a,b] [--out FILE.jsonl]
 *
 * One JSON line a document and policy; exit status 1 when a token differs. Where one does, the line says by how much
 * the two best logits were apart there: `full` itself cannot tell less than its rounding.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { mostLikely } from '../engine/evaluatePolicy.ts';
import { defaultKvSetting, policyEstimates, type PolicyName } from '../host/contract/policy.ts';
import { ActiveModel } from '../host/gpu-worker/activeModel.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { ChoiceFile } from '../host/gpu-worker/choiceFile.ts';
import { WorkerMemories } from '../host/gpu-worker/memories.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    text: { type: 'string', multiple: true },
    tokens: { type: 'string', default: '2000' },
    answer: { type: 'string', default: '200' },
    policies: { type: 'string', default: 'sketch,clusters,quest,flat,graph' },
    out: { type: 'string' },
  },
});
if (!values.model || !values.text) throw new Error('--model and --text are needed');
const promptTokens = Number(values.tokens);
const answerTokens = Number(values.answer);
const policies = values.policies.split(',') as PolicyName[];
const folder = mkdtempSync(join(tmpdir(), 'longleaf-unlimited-'));
const device = await openAdapter({ boundsChecks: false });
const context = { jobId: 'unlimited', device, signal: new AbortController().signal, send: () => undefined, memories: new WorkerMemories(), progress: () => undefined };
const kv = { ...defaultKvSetting, gpuBytes: 2 ** 31, offload: 'always' as const, pages: policies.includes('quest'), graphs: policies.includes('graph'), largestBudget: { share: 1 } };
const model = await ActiveModel.load(device, { path: values.model, contextTokens: promptTokens + answerTokens + 64, kv }, { choices: new ChoiceFile(folder, device.facts), spillFolder: folder }, context);
const { sequence, runner, spec } = model.loaded;
const far = runner.far;
if (!far) throw new Error(`${spec.name} has nothing that could lie beyond the GPU`);
let different = 0;

for (const path of values.text) {
  const prompt = model.tokenizer.encode(readFileSync(path, 'utf8')).slice(5000, 5000 + promptTokens);
  const full = await greedy(prompt, 'full');
  for (const name of policies) {
    const { tokens, margins } = await greedy(prompt, name);
    const first = tokens.findIndex((token, i) => token !== full.tokens[i]);
    const line = {
      what: 'unlimited',
      adapter: device.facts.shortName,
      model: basename(values.model),
      text: basename(path),
      policy: name,
      promptTokens,
      sealedTokens: far.sealed,
      answerTokens: tokens.length,
      equalTokens: first < 0 ? tokens.length : first,
      marginWhereDifferent: first < 0 ? null : full.margins[first],
      marginOfPolicy: first < 0 ? null : margins[first],
      droppedKeys: far.report.total.droppedKeys,
    };
    if (first >= 0) different++;
    console.log(JSON.stringify(line));
    if (values.out) appendFileSync(values.out, `${JSON.stringify(line)}\n`);
  }
}
rmSync(folder, { recursive: true, force: true });
process.exit(different > 0 ? 1 : 0);

/** Greedy tokens, and how far the best logit was above the second at each. */
async function greedy(prompt: readonly number[], name: PolicyName): Promise<{ tokens: number[]; margins: number[] }> {
  if (!far) throw new Error('nothing is beyond the GPU');
  far.policy = { name, budget: { share: 1 }, estimate: policyEstimates[name] };
  far.report.reset();
  const stream = [...prompt];
  const tokens: number[] = [];
  const margins: number[] = [];
  await sequence.extend(stream.slice(0, -1));
  while (tokens.length < answerTokens) {
    await sequence.extend(stream, { asDecoding: true });
    const logits = await model.readback.floats(runner.logits, 0, spec.vocabularySize);
    const token = mostLikely(logits);
    const best = logits[token];
    logits[token] = -Infinity;
    margins.push(best - logits[mostLikely(logits)]);
    tokens.push(token);
    stream.push(token);
  }
  return { tokens, margins };
}
