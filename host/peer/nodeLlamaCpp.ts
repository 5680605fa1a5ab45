/** llama.cpp on the processor, by the npm package node-llama-cpp. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { benchTokens } from '../benchTokens.ts';
import type { PeerRequest, PeerResult } from './peerProtocol.ts';

/** `entry`: the package's main file. */
export async function measureNodeLlamaCpp(entry: string, request: PeerRequest): Promise<PeerResult> {
  const { prefillTokens, decodeTokens, threads } = request;
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
  return {
    prefillTokensPerSecond: (1000 * prefillTokens) / (firstMs - prefillStartMs),
    decodeTokensPerSecond: (1000 * (made - 1)) / (performance.now() - firstMs),
    backend: loadedBackend(llama.systemInfo),
  };
}

/** Which of its processor backends llama.cpp chose for this machine. */
function loadedBackend(systemInfo: string): string {
  if (process.platform !== 'linux') return systemInfo;
  return /libggml-cpu[^/\s]*\.so/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? systemInfo;
}
