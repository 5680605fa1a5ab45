/**
 * One measurement of llama.cpp on the processor, in a process of its own so that its threads sleep while
 * ours are measured. Run by `longleaf bench --peer`; reads one JSON argument, prints one JSON line.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { benchTokens } from '../benchTokens.ts';
import { peerRequest, type PeerResult } from './peerProtocol.ts';

const request = peerRequest.parse(JSON.parse(process.argv[2] ?? ''));
const { prefillTokens, decodeTokens, threads } = request;
const entry = createRequire(join(request.folder, 'package.json')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: threads });
const model = await llama.loadModel({ modelPath: request.modelPath });
const context = await model.createContext({ contextSize: prefillTokens + decodeTokens + 64, batchSize: 512, threads });
const sequence = context.getSequence();
const tokens = benchTokens(prefillTokens, request.vocabularySize);

// Once to warm up, as ours.
await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, 64));
await sequence.clearHistory();
const prefillStartMs = performance.now();
await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1));
let firstMs = 0;
let made = 0;
for await (const _ of sequence.evaluate(tokens.slice(-1), { temperature: 0, yieldEogToken: true })) {
  if (made === 0) firstMs = performance.now();
  made++;
  if (made > decodeTokens) break;
}
const result: PeerResult = {
  prefillTokensPerSecond: (1000 * prefillTokens) / (firstMs - prefillStartMs),
  decodeTokensPerSecond: (1000 * (made - 1)) / (performance.now() - firstMs),
  backend: loadedBackend(),
};
console.log(JSON.stringify(result));
process.exit(0);

/** Which of its processor backends llama.cpp chose for this machine. */
function loadedBackend(): string {
  if (process.platform !== 'linux') return llama.systemInfo;
  return /libggml-cpu[^/\s]*\.so/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? llama.systemInfo;
}
