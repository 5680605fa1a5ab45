/**
 * The truth bench: policies against full attention, on documents with hidden sentences and on continuations.
 *
 *     node dist/bench/truth.js --model M.gguf --book BOOK.txt --tokens 6000 --documents 40 --needles 3 \
 *       --policies sketch:2%,sketch:5%,flat:2%/10 [--gpu-share 0.25] [--format f16] [--seconds 600] --out FILE.jsonl
 *
 * A policy is NAME:BUDGET, with `/N` for the first N documents only and `-` after the budget to drop what is not
 * chosen instead of estimating it. Full attention is computed with everything on the GPU, policies with the given
 * share of its f16 keys and values there. One JSON line a case, then one a policy; the lines of finished cases are kept
 * when the program is stopped, and it goes on after them.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { Readback } from '../engine/device/readback.ts';
import { continuationLogProbabilities, divergence, mostLikely } from '../engine/evaluatePolicy.ts';
import { defaultPolicy, type Policy, type PolicyName, policyDescriptions } from '../engine/kv/tiers/policy.ts';
import { loadModel, type LoadedModel } from '../engine/model.ts';
import { kvBytes } from '../engine/models/spec.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { FileWeightSource } from '../host/models/fileWeightSource.ts';
import { type Tail, truthDocuments } from './truth/cases.ts';
import { meanOf, shareOf } from './truth/statistics.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    book: { type: 'string' },
    tokens: { type: 'string', default: '6000' },
    documents: { type: 'string', default: '10' },
    needles: { type: 'string', default: '3' },
    policies: { type: 'string', default: 'sketch:2%' },
    'gpu-share': { type: 'string', default: '0.25' },
    format: { type: 'string', default: 'f16' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
if (!values.model || !values.book || !values.out) throw new Error('--model, --book and --out are needed');
const out = values.out;
const deadline = performance.now() + 1000 * Number(values.seconds);

interface Wanted {
  label: string;
  policy: Policy;
  documents: number;
}

function parsePolicy(text: string): Wanted {
  const match = /^(\w+)(?::([\d.]+)(%?)(-?))?(?:\/(\d+))?$/.exec(text);
  if (!match || !(match[1] in policyDescriptions)) throw new Error(`${text} is not a policy: write NAME:BUDGET, e.g. sketch:2%`);
  const [, name, amount, percent, dash, documents] = match;
  const budget = percent ? { share: Number(amount) / 100 } : { tokens: Number(amount ?? 0) };
  return { label: text.replace(/\/\d+$/, ''), policy: { ...defaultPolicy, name: name as PolicyName, budget, estimate: !dash }, documents: documents ? Number(documents) : Infinity };
}

const policies = values.policies.split(',').map(parsePolicy);
const documentTokens = Number(values.tokens);
const contextTokens = documentTokens + 160;
const format = values.format === 'q8' ? 'q8' : 'f16';

const device = await openAdapter();
const source = await FileWeightSource.open(values.model);
const choices = new Map<string, string>();
const plain = await loadModel(device, source, { contextTokens, kvBudgetBytes: Infinity, choices });
const halfBytes = kvBytes(plain.spec, contextTokens, 2, 0);
const fullBytes = halfBytes.full + halfBytes.sliding;
const gpuBudgetBytes = Math.floor(Number(values['gpu-share']) * fullBytes) - halfBytes.sliding;
const tiered = await loadModel(device, source, { contextTokens, kvBudgetBytes: Infinity, choices, tiers: { gpuBudgetBytes, ramBudgetBytes: Infinity, format, disk: null, offload: 'always', pages: policies.some(({ policy }) => policy.name === 'quest') } });
const far = tiered.runner.far;
if (!far) throw new Error('the model has no layers whose keys could be offloaded');
const readback = new Readback(device);
console.error(`${device.facts.name}: ${plain.spec.name}, ${documentTokens} tokens, ${(gpuBudgetBytes / 1e6).toFixed(1)} of ${(fullBytes / 1e6).toFixed(1)} MB on the GPU`, far.plan);

interface CaseLine {
  document: number;
  tail: number;
  kind: Tail['kind'];
  policy: string;
  klNats: number;
  agreement: number;
  /** Whether the whole code is the most likely text; null for continuations. */
  found: boolean | null;
  exactShare: number;
  hitShare: number;
  stepMs: number;
}

const lines: CaseLine[] = existsSync(out) ? readLines() : [];
const key = (line: Pick<CaseLine, 'document' | 'tail' | 'policy'>): string => `${line.document} ${line.tail} ${line.policy}`;
const done = new Set(lines.map(key));

function readLines(): CaseLine[] {
  const read: CaseLine[] = [];
  for (const line of readFileSync(out, 'utf8').split('\n')) if (line.includes('"klNats"')) read.push(JSON.parse(line) as CaseLine);
  return read;
}

function note(line: CaseLine): void {
  lines.push(line);
  appendFileSync(out, `${JSON.stringify(line)}\n`);
}

function isFound(tail: Tail, logProbabilities: readonly Float32Array[]): boolean | null {
  if (tail.kind !== 'needle') return null;
  return tail.answer.every((token, i) => i < tail.codeFrom || mostLikely(logProbabilities[i]) === token);
}

async function runTail(model: LoadedModel, prefix: readonly number[], tail: Tail): Promise<{ logProbabilities: Float32Array[]; stepMs: number }> {
  const whole = [...prefix, ...tail.question];
  await model.sequence.extend(whole.slice(0, -1));
  const started = performance.now();
  const logProbabilities = await continuationLogProbabilities(model, readback, whole, tail.answer);
  return { logProbabilities, stepMs: (performance.now() - started) / tail.answer.length };
}

const tokenizer = createTokenizer(plain.file.metadata);
const options = { book: readFileSync(values.book, 'utf8'), documentTokens, documents: Number(values.documents), needlesPerDocument: Number(values.needles), seed: Number(values.seed) };
for (const document of truthDocuments(tokenizer, options)) {
  const wanted = policies.filter(({ documents }) => document.index < documents);
  for (const [index, tail] of document.tails.entries()) {
    const missing = wanted.filter(({ label }) => !done.has(key({ document: document.index, tail: index, policy: label })));
    if (missing.length === 0 || performance.now() > deadline) continue;
    const truth = await runTail(plain, document.tokens, tail);
    const base = { document: document.index, tail: index, kind: tail.kind };
    note({ ...base, policy: 'resident', klNats: 0, agreement: 1, found: isFound(tail, truth.logProbabilities), exactShare: 1, hitShare: 1, stepMs: truth.stepMs });
    for (const { label, policy } of missing) {
      far.policy = policy;
      far.report.reset();
      const { logProbabilities, stepMs } = await runTail(tiered, document.tokens, tail);
      const { farKeys, exactKeys, hitKeys, missedKeys } = far.report.total;
      note({
        ...base,
        policy: label,
        klNats: meanOf(logProbabilities.map((p, i) => divergence(truth.logProbabilities[i], p))).value,
        agreement: meanOf(logProbabilities.map((p, i) => Number(mostLikely(p) === mostLikely(truth.logProbabilities[i])))).value,
        found: isFound(tail, logProbabilities),
        exactShare: exactKeys / farKeys,
        hitShare: hitKeys / (hitKeys + missedKeys),
        stepMs,
      });
    }
  }
  console.error(`document ${document.index + 1} of ${values.documents}, ${((deadline - performance.now()) / 1000).toFixed(0)} s left`);
}

for (const { label } of policies) {
  for (const kind of ['needle', 'continuation'] as const) {
    const cases = lines.filter((line) => line.policy === label && line.kind === kind);
    if (cases.length === 0) continue;
    const truths = new Map(lines.filter((line) => line.policy === 'resident').map((line) => [`${line.document} ${line.tail}`, line.found]));
    const foundByFull = cases.filter((line) => truths.get(`${line.document} ${line.tail}`));
    const summary = {
      summary: label,
      kind,
      model: basename(values.model),
      documentTokens,
      gpuShare: Number(values['gpu-share']),
      planes: far.plan.layout.planes,
      format,
      adapter: device.facts.name,
      kl: meanOf(cases.map(({ klNats }) => klNats)),
      agreement: meanOf(cases.map(({ agreement }) => agreement)),
      ...(kind === 'needle' && foundByFull.length > 0 ? { foundOfFull: shareOf(foundByFull.filter(({ found }) => found).length, foundByFull.length) } : {}),
      exactShare: meanOf(cases.map(({ exactShare }) => exactShare)).value,
      hitShare: meanOf(cases.map(({ hitShare }) => hitShare)).value,
      stepMs: meanOf(cases.map(({ stepMs }) => stepMs)).value,
    };
    appendFileSync(out, `${JSON.stringify(summary)}\n`);
    console.log(JSON.stringify(summary));
  }
}
process.exit(0);
