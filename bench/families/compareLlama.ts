/**
 * llama.cpp on the tiny models of `engine/testdata/families`, against the logits to which the tests hold Longleaf: a
 * second implementation of every family that reads the very same files.
 *
 *     npm install --prefix FOLDER node-llama-cpp
 *     node bench/families/compareLlama.ts FOLDER [NAME…]
 *
 * Prints, for each family, the largest difference of a log-probability among the likeliest ten, and at how many positions
 * the most likely token is the same. llama.cpp rounds activations to the weights' format, so differences to 0.1 are its
 * own; where a router's choice hangs on that, as in the quantised qwen2moe and qwen3moe, a position may differ by more.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { familyCases, familyNames } from '../../engine/testing/familyGoldens.ts';

const [folder, ...wanted] = process.argv.slice(2);
if (!folder) throw new Error('Name the folder in which node-llama-cpp is installed.');
const entry = createRequire(join(folder, 'package.json')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: 1 });
const compared = 10;

for (const name of wanted.length > 0 ? wanted : familyNames) {
  try {
    await compare(name);
  } catch (error) {
    console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
process.exit(0);

async function compare(name: string): Promise<void> {
  const modelPath = fileURLToPath(new URL(`../../engine/testdata/families/${name}.gguf`, import.meta.url));
  const model = await llama.loadModel({ modelPath });
  for (const { contextTokens, tokens, positions, logits } of familyCases(name)) {
    // Contexts become larger than asked, which must not change the set of rotary divisors.
    const context = await model.createContext({ contextSize: (contextTokens * 3) / 4, batchSize: 64, threads: 1, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' });
    const asked = new Set(positions);
    const input = tokens.map((token, i) => (asked.has(i) ? [token, { generateNext: { probabilities: true } }] : token));
    const results = await context.getSequence().controlledEvaluate(input);
    const vocabularySize = logits.length / positions.length;
    let largest = 0;
    let same = 0;
    for (const [i, position] of positions.entries()) {
      const probabilities: Map<number, number> = results[position].next.probabilities;
      const expected = logProbabilities(logits.subarray(i * vocabularySize, (i + 1) * vocabularySize));
      const likely = [...expected.keys()].sort((a, b) => expected[b] - expected[a]).slice(0, compared);
      for (const token of likely) largest = Math.max(largest, Math.abs(Math.log(probabilities.get(token) ?? 0) - expected[token]));
      if ([...probabilities].reduce((a, b) => (b[1] > a[1] ? b : a))[0] === likely[0]) same++;
    }
    console.log(`${name.padEnd(14)} context ${contextTokens}: |Δ log p| ≤ ${largest.toExponential(1)}, the same token first at ${same} of ${positions.length} positions`);
    await context.dispose();
  }
  await model.dispose();
}

function logProbabilities(logits: Float32Array): Float64Array {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Float64Array.from(logits, (logit) => logit - largest - Math.log(total));
}
