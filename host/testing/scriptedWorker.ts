/**
 * A worker process that computes nothing and does what the question says, for tests of what happens
 * when a worker dies, hangs or cannot start. A word is a token; its window holds 1,000 of them.
 *
 *     count N      answers "1 2 … N ", a word every few milliseconds
 *     die N        answers N words, then kills itself
 *     hang         blocks its event loop
 *     lose         reports a lost device and fails
 *     RECORD       lists the lines of the document that begin with it
 *     slow         answers, but takes half a second to look into
 *
 * What it reads of a document it keeps, as a real worker does (scriptedMemories.ts); of a prompt, the GPU takes
 * `SCRIPTED_GPU_TOKENS` words.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import type { AdapterReport } from '../contract/entities.ts';
import { defaultPolicySetting, type PolicySetting } from '../contract/policy.ts';
import { toFailure } from '../errors.ts';
import type { Prompt, WorkerReply, WorkerRequest } from '../gpu-worker/protocol.ts';
import { inspectScripted, scriptedAttention } from './scriptedInspection.ts';
import { ScriptedMemories } from './scriptedMemories.ts';

const windowTokens = 1000;
const tokenEveryMs = Number(process.env['SCRIPTED_TOKEN_MS'] ?? 4);
const gpuTokens = Number(process.env['SCRIPTED_GPU_TOKENS'] ?? windowTokens);
const cancelledJobs = new Set<string>();
const memories = new ScriptedMemories();
/** The end of the queue of what needs the GPU. */
let queue: Promise<void> = Promise.resolve();
let loadedPath: string | undefined;

const adapter: AdapterReport = {
  name: 'Scripted adapter',
  shortName: 'Scripted',
  vendor: 'none',
  architecture: 'none',
  driver: 'none',
  kind: 'software',
  features: [],
  limits: {},
  advice: null,
};

function send(reply: WorkerReply): void {
  if (process.connected) process.send?.(reply);
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

function fail(jobId: string, code: string, message: string): void {
  send({ kind: 'failed', jobId, failure: { code, message, remedy: 'Try again.' } });
}

function measure(prompt: Prompt) {
  if (prompt.kind !== 'chat') {
    const totalTokens = prompt.kind === 'raw' ? countWords(prompt.text) : prompt.tokens.length;
    return { headerTokens: 0, systemTokens: 0, documents: [], historyTokens: 0, questionTokens: 0, totalTokens, cachedTokens: 0, windowTokens, trainedTokens: windowTokens, layers: [], offloadedTokens: 0, keptBytesPerToken: 100 };
  }
  const documents = prompt.documents.map(({ id, textPath }) => ({ id, tokens: countWords(readFileSync(textPath, 'utf8')) }));
  const systemTokens = countWords(prompt.system);
  const historyTokens = prompt.history.reduce((total, { text }) => total + countWords(text), 0);
  const questionTokens = countWords(prompt.question);
  const documentTokens = documents.reduce((total, { tokens }) => total + tokens, 0);
  const totalTokens = 1 + systemTokens + historyTokens + questionTokens + documentTokens;
  return { headerTokens: 1, systemTokens, documents, historyTokens, questionTokens, totalTokens, cachedTokens: 0, windowTokens, trainedTokens: windowTokens, layers: [], offloadedTokens: Math.max(0, totalTokens - gpuTokens), keptBytesPerToken: 100 };
}

/** Everything is attended exactly, but where the prompt is longer than the GPU has room for: then half is estimated. */
function policyOutcome({ name }: PolicySetting) {
  const estimatedKeys = gpuTokens < windowTokens ? 50 : 0;
  return {
    name,
    totalKeys: 100,
    exactKeys: 100 - estimatedKeys,
    estimatedKeys,
    missedKeys: 0,
    droppedKeys: 0,
    droppedBecause: null,
    hitRatio: estimatedKeys > 0 ? 0.75 : null,
    gpuBytes: 1000,
    ramBytes: 0,
    diskBytes: 0,
    ramReadBytes: 0,
    diskReadBytes: 0,
  };
}

async function generate(jobId: string, prompt: Prompt, maxTokens: number, policy: PolicySetting = defaultPolicySetting, attention = false): Promise<void> {
  if (loadedPath === undefined) return fail(jobId, 'internal', 'No model is loaded.');
  const words = prompt.kind === 'chat' ? prompt.question : prompt.kind === 'raw' ? prompt.text : '';
  const listed = prompt.kind === 'chat' && words.includes('RECORD') ? recordsOf(prompt.documents[0].textPath) : null;
  if (listed !== null) return sendAnswer(jobId, listed, policy);
  const [verb, number = '3'] = words.trim().split(/\s+/).slice(-2);
  if (words.includes('hang')) for (;;);
  if (words.includes('lose')) {
    const failure = { code: 'device-lost', message: 'The GPU was lost.', remedy: 'Try again.' };
    loadedPath = undefined;
    send({ kind: 'device-lost', failure });
    send({ kind: 'failed', jobId, failure });
    return;
  }
  send({ kind: 'progress', jobId, phase: 'reading', done: 0, total: 10 });
  send({ kind: 'progress', jobId, phase: 'reading', done: 10, total: 10 });
  let text = '';
  let answerTokens = 0;
  const wanted = Number(number) || 3;
  while (answerTokens < Math.min(wanted, maxTokens) && !cancelledJobs.has(jobId)) {
    await pause(tokenEveryMs);
    answerTokens += 1;
    const piece = `${answerTokens} `;
    text += piece;
    send({ kind: 'token', jobId, id: answerTokens, text: piece });
    if (attention && prompt.kind === 'chat') send({ kind: 'attention', jobId, ...scriptedAttention(prompt, answerTokens - 1) });
  }
  if (verb === 'die') process.kill(process.pid, 'SIGKILL');
  sendDone(jobId, text, { answerTokens, stopReason: cancelledJobs.has(jobId) ? 'cancelled' : wanted > maxTokens ? 'length' : 'end' }, policy);
}

/** Every line of the text that begins with RECORD, twice. */
function recordsOf(textPath: string): string {
  const found = readFileSync(textPath, 'utf8').split('\n').filter((line) => line.startsWith('RECORD'));
  return found.length > 0 ? [...found, ...found].map((line) => `- ${line}`).join('\n') : 'none';
}

async function sendAnswer(jobId: string, text: string, policy: PolicySetting): Promise<void> {
  await pause(10 * tokenEveryMs);
  sendDone(jobId, text, { answerTokens: countWords(text), stopReason: cancelledJobs.has(jobId) ? 'cancelled' : 'end' }, policy);
}

function sendDone(jobId: string, text: string, { answerTokens, stopReason }: { answerTokens: number; stopReason: string }, policy: PolicySetting): void {
  const statistics = { modelName: 'Scripted', promptTokens: 100, reusedTokens: 0, keptTokens: 0, notKept: null, policy: policyOutcome(policy), answerTokens, readingMs: 50, answeringMs: 10, stopReason };
  send({ kind: 'done', jobId, value: { text, statistics, policy: { name: 'full', dropped: 0 } } });
}

async function answer(jobId: string, work: () => Promise<unknown>): Promise<void> {
  try {
    send({ kind: 'done', jobId, value: (await work()) ?? {} });
  } catch (error) {
    send({ kind: 'failed', jobId, failure: toFailure(error) });
  }
}

function inTurn(work: () => Promise<void>): Promise<void> {
  return (queue = queue.then(work));
}

async function handle(request: WorkerRequest): Promise<void> {
  const { jobId } = request;
  switch (request.kind) {
    case 'quit':
      process.exit(0);
    case 'ping':
      return send({ kind: 'done', jobId, value: null });
    case 'cancel':
      cancelledJobs.add(jobId);
      return;
    case 'load':
      for (let done = 0; done <= 3; done += 1) send({ kind: 'progress', jobId, phase: 'loading', done, total: 3 });
      loadedPath = request.path;
      return send({
        kind: 'done',
        jobId,
        value: {
          name: 'Scripted',
          architecture: 'llama',
          parameters: 1,
          layers: 1,
          vocabularySize: 2,
          layerKinds: [],
          trainedContextTokens: windowTokens,
          contextTokens: windowTokens,
          promptStyle: 'chat',
          kernels: {},
          loadMs: 1,
        },
      });
    case 'measure':
      return send({ kind: 'done', jobId, value: measure(request.prompt) });
    case 'token-range': {
      const text = readFileSync(request.textPath, 'utf8');
      return send({ kind: 'done', jobId, value: { start: countWords(text.slice(0, request.start)), end: countWords(text.slice(0, request.end)), tokens: countWords(text) } });
    }
    case 'tokens':
      return send({ kind: 'done', jobId, value: { tokens: [...Buffer.from(request.text)] } });
    case 'generate':
      return inTurn(() => generate(jobId, request.prompt, request.sampling.maxTokens, request.policy, request.attention));
    case 'read':
      return inTurn(() => answer(jobId, async () => {
        if (loadedPath === undefined) throw new Error('no model is loaded');
        return memories.read(request.document, request.keeping, {
          isCancelled: () => cancelledJobs.has(jobId),
          onProgress: (done, total) => send({ kind: 'progress', jobId, phase: 'reading', done, total }),
        });
      }));
    case 'inspect':
      return inTurn(() => answer(jobId, () => inspectScripted(request, () => cancelledJobs.has(jobId))));
    case 'memories': {
      const call = () => answer(jobId, () => memories.call(request.folder, request.call));
      return request.call.name.startsWith('remove') || request.call.name === 'sweep' ? inTurn(call) : call();
    }
    case 'doctor':
      return send({ kind: 'done', jobId, value: { kernels: {} } });
    case 'logits': {
      const positions = request.case.positions.map((position) => ({ position, top: [1], logits: [0.5], logSumExp: 1, next: null }));
      return send({ kind: 'done', jobId, value: { name: request.case.name, positions, meanNll: null } });
    }
    default:
      return fail(jobId, 'internal', `The scripted worker does not do “${request.kind}”.`);
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => void handle(message as WorkerRequest));
if (process.env['SCRIPTED_START'] === 'no-adapter') {
  send({ kind: 'failed', jobId: 'start', failure: { code: 'no-adapter', message: 'There is no adapter.', remedy: 'Install Mesa.' } });
  setTimeout(() => process.exit(1), 50);
} else if (process.env['SCRIPTED_START'] === 'crash') {
  throw new Error('crashed at start');
} else {
  send({ kind: 'ready', adapter });
}
